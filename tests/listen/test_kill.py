"""kill -9 while reports arrive: every 250 that was heard has its file."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from pathlib import Path

from engine.listen.spool import Spool
from tests.listen.callers import SOAK, calling, signed
from tests.listen.process import ListenerProcess

REPORTS = 5000 if SOAK else 300
CALLERS = 8
KILLS = 10 if SOAK else 2


async def report(process: ListenerProcess, numbers: list[int], heard: set[int], last: int) -> None:
    """Hand over reports, noting which were answered with 250; whoever hears the last one kills the listener."""
    with suppress(ConnectionError, AssertionError):
        async with calling(process.port) as caller:
            while numbers and len(heard) < last:
                number = numbers.pop()
                reply = await caller.hand_over(signed(number), b"report %d\r\n" % number)
                heard |= {number} if reply.startswith("250 ") else set()
                if not reply:
                    return
            process.kill()


async def run_until_killed(spool: Path, numbers: list[int], heard: set[int], last: int) -> None:
    with ListenerProcess(spool) as process:
        await asyncio.gather(*(report(process, numbers, heard, last) for _ in range(CALLERS)))


async def test_every_report_that_was_answered_survives_kill_9(tmp_path: Path) -> None:
    numbers, heard, dice = list(range(REPORTS)), set[int](), random.Random(9)
    share = REPORTS // (KILLS + 1)
    for kill in range(1, KILLS + 1):
        await run_until_killed(tmp_path, numbers, heard, kill * share - dice.randrange(share // 2))
    kept = {mail.raw for mail in Spool(tmp_path).pending()}
    lost = {number for number in heard if b"report %d\r\n" % number not in kept}
    assert len(heard) >= REPORTS // 3
    assert not lost
