"""A mail that costs too much is given up, and the next one is read."""

from __future__ import annotations

import time
from concurrent.futures.process import BrokenProcessPool

import pytest

from config.vocabulary import ReportKind
from dsn_parser import worker
from dsn_parser.worker import CPU_LIMIT_SECONDS, ParserPool, Reader
from tests.dsn_parser import hostile_readers

BOUNCE = b"From: MAILER-DAEMON@example.org\nSubject: failure notice\n\n<ida@example.org>: 550 5.1.1 user unknown\n"


async def test_a_mail_is_read_in_a_worker() -> None:
    async with ParserPool() as pool:
        report = await pool.read(BOUNCE)
    assert [finding.recipient for finding in report.findings] == ["ida@example.org"]


@pytest.mark.parametrize(
    ("reader", "hostile"),
    [
        (hostile_readers.burn_cpu, b"burn"),
        (hostile_readers.swallow_memory, b"hoard"),
        (hostile_readers.vanish, b"vanish"),
        (hostile_readers.stumble, b"stumble"),
    ],
)
async def test_a_mail_over_the_limits_is_unparseable_and_the_queue_goes_on(reader: Reader, hostile: bytes) -> None:
    async with ParserPool(reader=reader) as pool:
        started = time.monotonic()
        assert (await pool.read(hostile)).kind is ReportKind.UNPARSEABLE
        assert time.monotonic() - started < 10 * CPU_LIMIT_SECONDS
        assert (await pool.read(BOUNCE)).kind is ReportKind.PLAIN_BOUNCE


async def test_one_bad_mail_among_many_is_found_and_the_others_are_read() -> None:
    mails = [BOUNCE] * 24
    mails[7] = b"vanish"
    async with ParserPool(reader=hostile_readers.vanish) as pool:
        kinds = [report.kind for report in await pool.read_all(mails)]
    wanted = [ReportKind.PLAIN_BOUNCE] * 24
    wanted[7] = ReportKind.UNPARSEABLE
    assert kinds == wanted


async def test_a_pool_that_could_start_no_worker_is_opened_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ParserPool() as pool:
        with monkeypatch.context() as broken:
            broken.setattr(worker, "warm_up", hostile_readers.refuse_to_start)
            pool._pool = pool._open()
            with pytest.raises(BrokenProcessPool):
                await pool.read(BOUNCE)
        assert (await pool.read(BOUNCE)).kind is ReportKind.PLAIN_BOUNCE
