"""The synced spool: whole or not at all, in order, and whatever the disk says."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.listen import commit, spooled
from engine.listen.incoming import Incoming
from engine.listen.spool import Spool
from engine.listen.spooled import Envelope

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ENVELOPE = Envelope(
    '<>\n"å', ("b+x@retur.brevduva.example", "abuse@brevduva.example"), "192.0.2.1", "mx", "TLSv1.3", NOW
)


async def put(spool: Spool, raw: bytes, envelope: Envelope = ENVELOPE) -> None:
    mail = spool.begin(envelope)
    await mail.write(raw)
    await spool.commit(mail)


async def test_a_mail_comes_out_as_it_went_in(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    await put(spool, b"Subject: a\r\n\r\n\xff\n{}\r\n")
    [mail] = Spool(tmp_path).pending()
    assert (mail.envelope, mail.raw) == (ENVELOPE, b"Subject: a\r\n\r\n\xff\n{}\r\n")
    mail.remove()
    mail.remove()
    assert not list(spool.pending())
    await spool.close()


async def test_mails_come_out_in_the_order_they_came_in(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in range(20):
        await put(spool, str(number).encode(), replace(ENVELOPE, received_at=NOW + timedelta(seconds=number // 3)))
    assert [mail.raw for mail in spool.pending()] == [str(number).encode() for number in range(20)]
    await spool.close()


async def test_a_batch_is_of_the_oldest_and_never_too_much_at_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    assert spool.batch() == []
    for number in range(6):
        await put(spool, b"%d" % number * 1000)
    assert [mail.raw[:1] for mail in spool.batch(most_mails=4)] == [b"0", b"1", b"2", b"3"]
    assert [mail.raw[:1] for mail in spool.batch(most_bytes=1500)] == [b"0", b"1"]
    assert len(spool.batch(most_bytes=1)) == 1
    await spool.close()


async def test_mails_that_wait_together_are_all_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    await asyncio.gather(*(put(spool, str(number).encode()) for number in range(200)))
    assert {mail.raw for mail in spool.pending()} == {str(number).encode() for number in range(200)}
    await spool.close()


async def test_a_file_is_on_the_disk_before_commit_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deeds: list[str] = []

    def note(deed: str, do: Callable[..., object]) -> Callable[..., object]:
        def noted(*arguments: object) -> object:
            deeds.append(deed)
            return do(*arguments)

        return noted

    monkeypatch.setattr(os, "fdatasync", note("sync", os.fdatasync))
    monkeypatch.setattr(Path, "rename", note("rename", Path.rename))
    monkeypatch.setattr(commit, "_sync_folder", note("folder", commit._sync_folder))
    spool = Spool(tmp_path)
    await put(spool, b"a")
    assert deeds == ["sync", "rename", "folder"]
    await spool.close()


async def test_a_big_mail_is_not_held_in_memory(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    mail = spool.begin(ENVELOPE)
    for _ in range(10):
        await mail.write(b"x" * 60_000)
    assert mail.path.stat().st_size > 500_000
    await spool.commit(mail)
    [kept] = spool.pending()
    assert kept.raw == b"x" * 600_000
    await spool.close()


async def test_a_discarded_mail_leaves_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for content in (b"x", b"x" * 100_000):
        mail = spool.begin(ENVELOPE)
        await mail.write(content)
        mail.discard()
    leaving = asyncio.create_task((mail := spool.begin(ENVELOPE)).write(b"x" * 100_000))
    await asyncio.sleep(0)
    leaving.cancel()
    mail.discard()
    await asyncio.gather(leaving, return_exceptions=True)
    await spool.close()
    assert not [*(tmp_path / "tmp").iterdir(), *(tmp_path / "new").iterdir()]


async def test_a_cancelled_commit_is_finished_all_the_same(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    committing = asyncio.create_task(put(spool, b"a"))
    await asyncio.sleep(0)
    assert spool._committer._committing is not None
    committing.cancel()
    await spool.close()
    assert [mail.raw for mail in spool.pending()] == [b"a"]


async def test_a_disk_that_fails_one_mail_keeps_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def fail(descriptor: int, content: memoryview) -> int:
        if b"unlucky" in bytes(content):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content)

    monkeypatch.setattr(os, "write", fail)
    spool = Spool(tmp_path)
    done = await asyncio.gather(*(put(spool, raw) for raw in (b"a", b"unlucky", b"b")), return_exceptions=True)
    assert [isinstance(result, OSError) for result in done] == [False, True, False]
    await spool.close()
    assert sorted(mail.raw for mail in spool.pending()) == [b"a", b"b"]
    assert not list((tmp_path / "tmp").iterdir())


async def test_a_folder_that_cannot_be_synced_promises_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(commit, "_sync_folder", fail)
    spool = Spool(tmp_path)
    with pytest.raises(OSError, match="Input/output"):
        await put(spool, b"a")
    await spool.close()


async def test_what_is_no_mail_of_ours_is_set_aside(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    (tmp_path / "new" / "1").write_bytes(b"not json\n")
    (tmp_path / "new" / "2").write_bytes(b"{}\nSubject: a\r\n")
    await put(spool, b"a")
    [mail] = spool.pending()
    assert mail.raw == b"a"
    mail.set_aside()
    assert not list(spool.pending())
    assert len(list((tmp_path / "aside").iterdir())) == 3
    await spool.close()


def _pretend_to_be_mail(path: Path) -> None:
    line = ENVELOPE.to_line().replace(b'"192.0.2.1"', b'["192.0.2.1"]')
    path.write_bytes(line + b"Subject: a\r\n")


def _forget_the_zone(path: Path) -> None:
    path.write_bytes(ENVELOPE.to_line().replace(b"00Z", b"00") + b"Subject: a\r\n")


def _grow(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


@pytest.mark.parametrize(
    "damage",
    [
        Path.touch,
        Path.mkdir,
        os.mkfifo,
        _pretend_to_be_mail,
        _forget_the_zone,
        _grow,
        lambda path: path.symlink_to("/nowhere"),
        lambda path: path.write_bytes(ENVELOPE.to_line()[:50]),
        lambda path: path.write_bytes(b"\0" * 1000),
    ],
)
async def test_whatever_lies_in_the_spool_the_mail_behind_it_is_read(
    damage: Callable[[Path], object], tmp_path: Path
) -> None:
    spool = Spool(tmp_path)
    damage(tmp_path / "new" / "0")
    await put(spool, b"a")
    assert [mail.raw for mail in spool.batch()] == [b"a"]
    assert spool.count_aside() == 1
    await spool.close()


async def test_a_machine_out_of_descriptors_sets_nothing_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    await put(spool, b"a")
    with monkeypatch.context() as poor, pytest.raises(OSError, match="Too many"):
        poor.setattr(spooled, "_open_at_once", _refuse_to_open)
        spool.batch()
    assert [mail.raw for mail in spool.batch()] == [b"a"]
    assert spool.count_aside() == 0
    await spool.close()


def _refuse_to_open(path: str, flags: int) -> int:
    raise OSError(errno.EMFILE, "Too many open files")


async def test_two_readers_that_set_the_same_file_aside_do_not_stumble(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    await put(spool, b"a")
    (mail,) = spool.batch()
    mail.set_aside()
    mail.set_aside()
    assert spool.count_aside() == 1
    await spool.close()


async def test_what_is_being_removed_is_in_no_later_batch(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    await put(spool, b"a")
    spool.remove(spool.batch())
    assert spool.batch() == []
    await spool.finish_removing()
    assert not list((tmp_path / "new").iterdir())
    await spool.close()


async def test_an_accident_within_a_commit_lets_nobody_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(mail: Incoming) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Incoming, "sync", fail)
    spool = Spool(tmp_path)
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(put(spool, b"a"), 5)
    await spool.close()


async def test_a_mail_holds_no_file_open_between_two_writes(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    mail = spool.begin(ENVELOPE)
    await mail.write(b"x" * 100_000)
    opened = await asyncio.to_thread(_opened_files)
    assert mail.path.exists()
    assert mail.path not in opened
    mail.discard()
    await spool.close()


def _opened_files() -> set[Path]:
    return {_target(descriptor) for descriptor in Path("/proc/self/fd").iterdir()}


def _target(descriptor: Path) -> Path:
    try:
        return descriptor.readlink()
    except FileNotFoundError:  # the listing's own
        return descriptor


async def test_what_died_unfinished_is_forgotten_after_a_day(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    old, young = tmp_path / "tmp" / "old", tmp_path / "tmp" / "young"
    old.touch()
    young.touch()
    foreign = tmp_path / "tmp" / "a folder of somebody's"
    foreign.mkdir()
    os.utime(old, (0, 0))
    os.utime(foreign, (0, 0))
    spool.forget_unfinished()
    assert not old.exists()
    assert young.exists()
    assert foreign.exists()
    await spool.close()
