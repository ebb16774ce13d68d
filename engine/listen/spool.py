"""The synced spool: a mail is a file that is on the disk before anyone hears 250, and stays until it is removed.

A file holds one line of JSON (the envelope) and then the mail as it came. It is written in `tmp/`, synced, renamed
into `new/`, and the folder is synced: what stands in `new/` is whole, whatever died when. Mails that wait together
are synced together. A crash before the rename leaves a file in `tmp/` that nobody was promised; a crash after the
rename but before the 250 leaves a mail that its sender sends again: the same mail twice counts once by its digest.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
import os
import secrets
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

_WRITE_BYTES = 64 * 1024
_SYNCERS = 8
_BATCH = 64
_FORGOTTEN_SECONDS = 24 * 3600

log = structlog.get_logger("spool")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the conversation said of a mail before its first byte."""

    envelope_from: str
    recipients: tuple[str, ...]
    peer: str
    helo: str
    tls: str
    received_at: datetime

    def to_line(self) -> bytes:
        values = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(values, default=datetime.isoformat).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Envelope:
        """Read what `to_line` wrote; raises ValueError, TypeError or KeyError where it is something else."""
        values = json.loads(line)
        instant = datetime.fromisoformat(values.pop("received_at"))
        return cls(**{**values, "recipients": tuple(values["recipients"])}, received_at=instant)


@dataclass(frozen=True, slots=True)
class SpooledMail:
    """One mail waiting in the spool."""

    path: Path
    envelope: Envelope
    raw: bytes

    @property
    def envelope_from(self) -> str:
        return self.envelope.envelope_from

    @property
    def recipients(self) -> tuple[str, ...]:
        return self.envelope.recipients

    @property
    def peer(self) -> str:
        return self.envelope.peer

    @property
    def received_at(self) -> datetime:
        return self.envelope.received_at

    def remove(self) -> None:
        """Take the mail out of the spool, once what it says stands in the database."""
        self.path.unlink(missing_ok=True)

    def set_aside(self) -> None:
        """Move a mail that cannot be worked with out of the way, kept for the operator."""
        _set_aside(self.path)


def remove_all(mails: Sequence[SpooledMail]) -> None:
    for mail in mails:
        mail.remove()


class Incoming:
    """A mail being received; holds at most 64 kB in memory, the rest is in its file."""

    def __init__(self, path: Path, pool: ThreadPoolExecutor, envelope: Envelope) -> None:
        self.path = path
        self._pool = pool
        self._buffer = bytearray(envelope.to_line())
        self._descriptor: int | None = None
        self._writing: Future[None] | None = None

    async def write(self, content: bytes) -> None:
        """Add content; raises OSError where the disk will not take it."""
        self._buffer += content
        if len(self._buffer) >= _WRITE_BYTES:
            self._writing = self._pool.submit(self._flush)
            await asyncio.shield(asyncio.wrap_future(self._writing))

    def sync(self) -> None:
        """Write what is left and wait until the disk has all of it."""
        try:
            self._flush()
            os.fdatasync(self._open())
        finally:
            self._close()

    def discard(self) -> None:
        """Undo what was received, after any writing under way; the caller does not wait for it."""
        if self._writing is None or self._writing.done():
            self._pool.submit(self._discard)
        else:
            self._writing.add_done_callback(lambda _: self._discard())

    def _flush(self) -> None:
        remaining = memoryview(bytes(self._buffer))
        while remaining:
            remaining = remaining[os.write(self._open(), remaining) :]
        self._buffer.clear()

    def _open(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        return self._descriptor

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _discard(self) -> None:
        self._close()
        self.path.unlink(missing_ok=True)


class Spool:
    """A folder of returned mail: the listener puts in, the inbound journey takes out, in one process or in two."""

    def __init__(self, directory: Path) -> None:
        self._tmp = directory / "tmp"
        self._new = directory / "new"
        for folder in (self._tmp, self._new):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._numbers = itertools.count()
        self._mark = secrets.token_hex(4)  # two processes, or one started twice by the same clock, never share a name
        self._pool = ThreadPoolExecutor(_SYNCERS, thread_name_prefix="spool")
        self._waiting: list[tuple[Incoming, asyncio.Future[None]]] = []
        self._committing: asyncio.Task[None] | None = None

    def begin(self, envelope: Envelope) -> Incoming:
        """Start receiving a mail; end with `commit` or with the mail's `discard`."""
        name = f"{envelope.received_at:%Y%m%dT%H%M%S.%f}-{next(self._numbers):09d}-{self._mark}"
        return Incoming(self._tmp / name, self._pool, envelope)

    async def commit(self, mail: Incoming) -> None:
        """Return once the mail is on the disk for good; raises OSError where it is not (it is then discarded).

        Cancelling the caller does not stop it.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((mail, done))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_waiting())
        await asyncio.shield(done)

    async def close(self) -> None:
        """Wait until nothing is being written, then let the threads go."""
        while self._committing is not None:
            await asyncio.wait([self._committing])
        await asyncio.to_thread(self._pool.shutdown)

    def free_bytes(self) -> int:
        """Return how much room the disk has left."""
        disk = os.statvfs(self._new)
        return disk.f_bavail * disk.f_frsize

    def pending(self) -> Iterator[SpooledMail]:
        """Yield the mails that wait by now, oldest first; only the one that is yielded is in memory."""
        for path in sorted(self._new.iterdir()):
            mail = _read(path)
            if mail is not None:
                yield mail

    def batch(
        self, most_mails: int = 100, most_bytes: int = 16 * 1024 * 1024, *, skip: Collection[str] = ()
    ) -> list[SpooledMail]:
        """Return the oldest mails that wait: as many as that, but few where they are big; empty where none waits.

        `skip` names files that are as good as removed.
        """
        with os.scandir(self._new) as entries:  # a backlog of 50,000 is neither sorted nor made paths for every batch
            names = heapq.nsmallest(most_mails, (entry.name for entry in entries if entry.name not in skip))
        mails: list[SpooledMail] = []
        for name in names:
            mail = _read(self._new / name)
            if mail is not None:
                mails.append(mail)
            if sum(len(taken.raw) for taken in mails) >= most_bytes:
                break
        return mails

    def forget_unfinished(self) -> None:
        """Remove what a process that died left unfinished, a day later; nobody was promised anything of it."""
        for path in self._tmp.iterdir():
            if time.time() - path.stat().st_mtime > _FORGOTTEN_SECONDS:
                path.unlink(missing_ok=True)

    async def _commit_waiting(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
                _tell(batch, await self._commit([mail for mail, _ in batch]))
        finally:
            self._committing = None

    async def _commit(self, mails: Sequence[Incoming]) -> list[OSError | None]:
        loop = asyncio.get_running_loop()
        slices = [mails[start::_SYNCERS] for start in range(min(_SYNCERS, len(mails)))]
        synced = await asyncio.gather(*(loop.run_in_executor(self._pool, _sync_each, part) for part in slices))
        troubles = {mail: trouble for part in synced for mail, trouble in part}
        whole = [mail for mail in mails if troubles[mail] is None]
        troubles |= await loop.run_in_executor(self._pool, self._publish, whole)
        return [troubles[mail] for mail in mails]

    def _publish(self, mails: Sequence[Incoming]) -> dict[Incoming, OSError | None]:
        try:
            for mail in mails:
                mail.path.rename(self._new / mail.path.name)
            _sync_folder(self._new)
        except OSError as trouble:
            return dict.fromkeys(mails, trouble)
        return {}


def _sync_each(mails: Sequence[Incoming]) -> list[tuple[Incoming, OSError | None]]:
    return [(mail, _sync(mail)) for mail in mails]


def _sync(mail: Incoming) -> OSError | None:
    try:
        mail.sync()
    except OSError as trouble:
        return trouble
    return None


def _tell(batch: Sequence[tuple[Incoming, asyncio.Future[None]]], troubles: Sequence[OSError | None]) -> None:
    for (mail, done), trouble in zip(batch, troubles, strict=True):
        if trouble is None:
            done.set_result(None)
        else:
            mail.discard()
            done.set_exception(trouble)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> SpooledMail | None:
    """Read one file; None where another reader took it meanwhile, or where it is no mail of ours (set aside)."""
    try:
        line, _, raw = path.read_bytes().partition(b"\n")
        return SpooledMail(path, Envelope.from_line(line), raw)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        log.error("unreadable", file=path.name)
        _set_aside(path)
        return None


def _set_aside(path: Path) -> None:
    aside = path.parent.parent / "aside"
    aside.mkdir(mode=0o700, exist_ok=True)
    path.replace(aside / path.name)
