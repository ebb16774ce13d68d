"""What strangers in numbers cost: memory and time of a listener in a process of its own, printed as measured.

The long form is run where BREVDUVA_SOAK is 1 (scripts/soak); its figures are those of THREATS, *Listener*.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from engine.listen.spool import Spool
from tests.listen.callers import DSN, SOAK, Caller, calling, signed
from tests.listen.process import ListenerProcess

MIB_IN_KIB = 1024
SLOW = 1000 if SOAK else 200
BIG_MAILS, BIG_MIB = (20, 30) if SOAK else (4, 12)
ODD_VERBS = 100_000 if SOAK else 2_000
REPORTS = 50_000 if SOAK else 500

Print = Callable[[str], None]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Print:
    """Print a figure although pytest keeps what tests print."""

    def say_it(figure: str) -> None:
        with capsys.disabled():
            print(f"\n  {figure}", end="")  # a figure is made to be read

    return say_it


def sources(count: int) -> list[str]:
    """Return addresses of this machine, ten callers to each."""
    return [f"127.0.{number // 2000}.{number // 10 % 200 + 2}" for number in range(count)]


async def greet(port: int) -> float:
    """Call as an honest stranger; returns the seconds until EHLO is answered."""
    began = time.perf_counter()
    caller = await Caller.introduced(port, "127.0.0.1")
    took = time.perf_counter() - began
    await caller.hang_up()
    return took


def p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99) - 1]


@asynccontextmanager
async def slow_strangers(port: int, count: int, words: bytes) -> AsyncIterator[list[Caller]]:
    """Callers that say a little and then hold the line."""
    callers = []
    for source in sources(count):
        callers.append(caller := await Caller.call(port, source))
        caller.shout(words)
    yield callers
    await asyncio.gather(*(caller.hang_up() for caller in callers))


async def test_slow_strangers_cost_little_and_bar_nobodys_way(far_house: ListenerProcess, say: Print) -> None:
    await greet(far_house.port)
    before = far_house.resident_kib
    async with slow_strangers(far_house.port, SLOW, b"EH"):
        greetings = [await greet(far_house.port) for _ in range(100)]
        grown = far_house.resident_kib - before
    say(f"{SLOW} slow strangers: +{grown / MIB_IN_KIB:.1f} MiB, honest greeting p99 {p99(greetings) * 1000:.1f} ms")
    assert grown < 64 * MIB_IN_KIB
    assert p99(greetings) < 1


async def test_slow_sessions_cost_little_and_bar_nobodys_way(far_house: ListenerProcess, say: Print) -> None:
    await greet(far_house.port)
    before, descriptors = far_house.resident_kib, far_house.descriptors
    async with slow_strangers(far_house.port, 0, b"") as callers:
        for source in sources(SLOW):
            callers.append(caller := await Caller.call(far_house.port, source))
            if (await caller.hear()).startswith("220"):
                await caller.say("EHLO slow.example")
                caller.shout(b"MAIL FR")
        greetings = [await greet(far_house.port) for _ in range(100)]
        grown = far_house.resident_kib - before
        inside = far_house.descriptors - descriptors
    took = f"honest greeting p99 {p99(greetings) * 1000:.1f} ms"
    say(f"{SLOW} slow sessions ({inside} inside): +{grown / MIB_IN_KIB:.1f} MiB, {took}")
    assert inside <= 500
    assert grown < 64 * MIB_IN_KIB
    assert p99(greetings) < 1


async def send_big(port: int, source: str) -> str:
    """Send a mail of two-byte lines that is far too big; returns what is heard before the line is cut."""
    caller = await Caller.introduced(port, source)
    for command in ("MAIL FROM:<>", f"RCPT TO:<{signed()}>", "DATA"):
        await caller.say(command)
    try:
        for _ in range(BIG_MIB * 16):
            caller.shout(b"\r\n" * 32768)
            await caller.writer.drain()
        return await caller.hear()
    except ConnectionError:
        return "cut"
    finally:
        await caller.hang_up()


async def test_mails_far_too_big_cost_little(far_house: ListenerProcess, say: Print) -> None:
    await greet(far_house.port)
    before = far_house.resident_kib
    sending = asyncio.gather(*(send_big(far_house.port, f"127.0.3.{number + 1}") for number in range(BIG_MAILS)))
    greetings: list[float] = []
    while not sending.done():
        greetings.append(await greet(far_house.port))
    grown = far_house.peak_kib - before
    say(
        f"{BIG_MAILS} x {BIG_MIB} MB of two-byte lines: peak +{grown / MIB_IN_KIB:.1f} MiB,"
        f" longest stall {far_house.stall_seconds * 1000:.0f} ms, longest greeting {max(greetings) * 1000:.0f} ms"
    )
    assert all(reply in ("cut", "") or reply.startswith("552 ") for reply in await sending)
    assert grown < 32 * MIB_IN_KIB


async def test_one_endless_line_costs_little(far_house: ListenerProcess, say: Print) -> None:
    await greet(far_house.port)
    before = far_house.resident_kib
    caller = await Caller.introduced(far_house.port)
    for command in ("MAIL FROM:<>", f"RCPT TO:<{signed()}>", "DATA"):
        await caller.say(command)
    sent_bytes = 0
    try:
        while sent_bytes < 300_000_000:
            caller.shout(b"x" * 65536)
            await caller.writer.drain()
            sent_bytes += 65536
    except ConnectionError:
        pass
    await caller.hang_up()
    grown = far_house.peak_kib - before
    say(f"an endless line: cut after {sent_bytes / 1e6:.1f} MB, peak +{grown / MIB_IN_KIB:.1f} MiB")
    assert sent_bytes < 20_000_000
    assert grown < 16 * MIB_IN_KIB


async def test_odd_verbs_are_not_remembered(far_house: ListenerProcess, say: Print) -> None:
    await greet(far_house.port)
    before = far_house.resident_kib
    for first in range(0, ODD_VERBS, 20):
        caller = await Caller.introduced(far_house.port)
        caller.shout(b"".join(b"ODD%d\r\n" % number for number in range(first, first + 20)))
        await caller.reader.read()
        await caller.hang_up()
    grown = far_house.resident_kib - before
    say(f"{ODD_VERBS} odd verbs: +{grown / MIB_IN_KIB:.1f} MiB")
    assert grown < 16 * MIB_IN_KIB


async def hand_over_all(port: int, numbers: list[int], kept: set[int]) -> None:
    """Hand over reports as a busy mail server does, some a session."""
    while numbers:
        async with calling(port) as caller:
            for number in [numbers.pop() for _ in range(min(40, len(numbers)))]:
                if (await caller.hand_over(signed(number), b"report %d\r\n" % number + DSN)).startswith("250 "):
                    kept.add(number)
            await caller.say("QUIT")


async def test_a_flood_of_reports_is_kept_whole(far_house: ListenerProcess, say: Print) -> None:
    numbers, kept = list(range(REPORTS)), set[int]()
    began = time.perf_counter()
    await asyncio.gather(*(hand_over_all(far_house.port, numbers, kept) for _ in range(8)))
    rate = REPORTS / (time.perf_counter() - began)
    say(f"{REPORTS} reports: {rate:,.0f} a second kept and synced, peak {far_house.peak_kib / MIB_IN_KIB:.0f} MiB")
    found = {int(mail.raw.split()[1]) for mail in Spool(far_house.spool).pending()}
    assert found == kept == set(range(REPORTS))
    assert rate > 100 or not SOAK
    assert far_house.peak_kib < 256 * MIB_IN_KIB
