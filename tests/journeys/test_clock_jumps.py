"""The machine's clock is set forwards and backwards: no storm of tries, nobody given up too early, nothing stuck."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from config.vocabulary import MessageStatus
from engine.clock import HandClock
from engine.store.database import Database
from tests.fakes.mx import DROP, FakeMx
from tests.journeys.conftest import Tell
from tests.journeys.town import history, live_until, messages, open_town, queue_post, statuses, taken

BUSY = b"450 4.2.0 Mailbox busy, try again later\r\n"
SPRING, AUTUMN = datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
"""Half an hour before the clocks of Stockholm are moved, forwards and back."""
MEMBERS = 3


class UnsteadyClock(HandClock):
    """A clock that somebody sets."""

    def set_by(self, change: timedelta) -> None:
        """Move to another time, an earlier one too."""
        self._now += change


async def _tries_until_given_up(database: Database, jump: timedelta) -> tuple[list[int], list[timedelta]]:
    """How often each member of a busy receiver is tried when the clock jumps after a day, and for how long."""
    start = datetime(2026, 6, 1, tzinfo=UTC)
    clock, receiver = UnsteadyClock(start), FakeMx(always={"RCPT": BUSY})
    async with open_town({"trog.example": receiver}) as town:
        post = await queue_post(database, [f"m{n}@trog.example" for n in range(MEMBERS)], start)
        outbound = town.sender(database, clock)
        await live_until(outbound, database, clock, start + timedelta(days=1))
        before = len(receiver.commands)
        clock.set_by(jump)
        await outbound.run_until_idle()
        assert len(receiver.commands) - before <= 4 * MEMBERS  # at most one try each: MAIL, RCPT, RSET or DATA
        await live_until(outbound, database, clock, start + timedelta(days=20))
        await outbound.close()
    assert await statuses(database, post) == {MessageStatus.BOUNCED: MEMBERS}
    rows = await messages(database, post)
    lines = [await history(database, one.message_id) for one in rows]
    return [one.attempts for one in rows], [events[-1].at - start for events in lines]


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1), timedelta(days=-1)])
async def test_a_clock_set_by_an_hour_or_a_day_neither_hurries_nor_multiplies_the_tries(
    database: Database, jump: timedelta, tell: Tell
) -> None:
    tries, lasted = await _tries_until_given_up(database, jump)
    tell(f"clock set by {jump}: {min(tries)}-{max(tries)} tries, given up after {min(lasted)} by the clock")
    assert max(tries) <= 45
    assert min(lasted) >= timedelta(days=5)


async def test_a_clock_set_ten_days_forwards_gives_everybody_one_more_try(database: Database) -> None:
    tries, _ = await _tries_until_given_up(database, timedelta(days=10))
    assert 8 <= min(tries) <= max(tries) <= 20


async def test_mail_that_was_never_tried_survives_any_jump(database: Database) -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    clock, receiver = UnsteadyClock(start), FakeMx()
    async with open_town({"snabb.example": receiver}) as town:
        post = await queue_post(database, [f"m{n}@snabb.example" for n in range(MEMBERS)], start)
        clock.set_by(timedelta(days=10))
        outbound = town.sender(database, clock)
        await outbound.run_until_idle()
        await outbound.close()
    assert await statuses(database, post) == {MessageStatus.SENT: MEMBERS}
    assert len(taken(receiver)) == MEMBERS


async def test_a_breaker_does_not_stay_open_when_the_clock_is_set_back(database: Database) -> None:
    """Who waits for a probe waits no longer than the jump, whatever the breaker had in mind."""
    start = datetime(2026, 6, 1, tzinfo=UTC)
    clock, receiver = UnsteadyClock(start), FakeMx(script={"BANNER": [DROP]})
    async with open_town({"dod.example": receiver}) as town:
        post = await queue_post(database, [f"m{n}@dod.example" for n in range(MEMBERS)], start)
        outbound = town.sender(database, clock)
        await outbound.run_until_idle()
        clock.set_by(timedelta(hours=-1))
        await live_until(outbound, database, clock, start + timedelta(minutes=30))
        await outbound.close()
    assert await statuses(database, post) == {MessageStatus.SENT: MEMBERS}


@pytest.mark.parametrize("night", [SPRING, AUTUMN], ids=["spring", "autumn"])
async def test_the_nights_when_clocks_are_moved_are_nights_like_others(
    database: Database, night: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Stockholm")
    clock, receiver = HandClock(night), FakeMx(always={"RCPT": BUSY})
    async with open_town({"trog.example": receiver}) as town:
        post = await queue_post(database, [f"m{n}@trog.example" for n in range(MEMBERS)], night)
        outbound = town.sender(database, clock)
        await live_until(outbound, database, clock, night + timedelta(hours=3))
        await outbound.close()
    assert {one.attempts for one in await messages(database, post)} == {6}  # at 0, 5, 15 and 30 minutes, 1 and 2 hours
