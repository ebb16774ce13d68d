"""Time is UTC, and stands still in a hand clock until it is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine.clock import HandClock, SystemClock

START = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


def test_the_system_clock_is_utc_and_aware() -> None:
    assert SystemClock().now().utcoffset() == timedelta()


async def test_the_system_clock_sleeps() -> None:
    await SystemClock().sleep(0)


def test_a_hand_clock_stands_still() -> None:
    clock = HandClock(START)
    assert clock.now() == clock.now() == START


def test_a_hand_clock_leaps_to_an_instant_but_never_back() -> None:
    clock = HandClock(START)
    clock.leap_to(START + timedelta(days=5))
    clock.leap_to(START)
    assert clock.now() == START + timedelta(days=5)


async def test_sleeping_on_a_hand_clock_passes_the_time_at_once() -> None:
    clock = HandClock(START)
    await clock.sleep(3600)
    assert clock.now() == START + timedelta(hours=1)
