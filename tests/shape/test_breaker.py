"""When a site's mail stops, waits and flows again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from config.vocabulary import Fault, Limits, Reason
from dsn_parser.classify import verdict_of
from engine.clock import HandClock
from engine.shape.breaker import REFUSALS_BEFORE_OPENING, Breaker, BreakerState, hear_answer, hear_silence
from engine.shape.flow import FIRST_MAILS, Flow
from engine.shape.traffic import MAILS_PER_CONNECTION_AHEAD, MOST_UNDER_WAY, MOST_WITH_THE_SLOW, Traffic

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TAKEN, LISTED = Reason.ACCEPTED, Reason.BLOCKED
UNKNOWN_USER, SPAM, FULL = Reason.USER_UNKNOWN, Reason.SPAM_CONTENT, Reason.MAILBOX_FULL
SLOW_DOWN, SILENT = Reason.RATE_LIMITED, Reason.NETWORK_ERROR


def hear(breaker: Breaker, *reasons: Reason, now: datetime = NOW, hint: float | None = None) -> Breaker:
    for reason in reasons:
        breaker = hear_answer(breaker.at(now), verdict_of(reason), f"words of {reason}", now, hint)
    return breaker


def silence(breaker: Breaker, now: datetime = NOW) -> Breaker:
    return hear_silence(breaker.at(now), verdict_of(SILENT), "no answer", now)


def pause(breaker: Breaker, now: datetime = NOW) -> timedelta | None:
    return breaker.next_probe_at - now if breaker.next_probe_at else None


@pytest.mark.parametrize(
    ("reasons", "state", "refusals"),
    [
        ((TAKEN,), BreakerState.CLOSED, 0),
        ((LISTED,), BreakerState.CLOSED, 1),
        ((LISTED, LISTED), BreakerState.CLOSED, 2),
        ((LISTED, LISTED, LISTED), BreakerState.OPEN, 3),
        ((LISTED, LISTED, TAKEN, LISTED, LISTED), BreakerState.CLOSED, 2),
        ((LISTED, UNKNOWN_USER, LISTED, FULL, LISTED), BreakerState.OPEN, 3),
        ((UNKNOWN_USER,) * 20, BreakerState.CLOSED, 0),
        ((SPAM,) * 20, BreakerState.CLOSED, 0),
        ((SLOW_DOWN,), BreakerState.OPEN, 0),
    ],
)
def test_answers_open_the_breaker_or_not(reasons: tuple[Reason, ...], state: BreakerState, refusals: int) -> None:
    breaker = hear(Breaker(), *reasons)
    assert (breaker.state, breaker.refusals) == (state, refusals)


def test_at_most_five_mails_are_burnt_on_a_receiver_that_refuses_us() -> None:
    assert REFUSALS_BEFORE_OPENING <= 5


def test_an_open_breaker_says_why_and_when_the_probe_is_due() -> None:
    breaker = hear(Breaker(), LISTED, LISTED, LISTED)
    assert (breaker.reason, breaker.fault, breaker.why) == (LISTED, Fault.SENDER, "words of blocked")
    assert (breaker.opened_at, pause(breaker)) == (NOW, timedelta(minutes=15))


def test_answers_still_under_way_when_it_opened_change_nothing() -> None:
    breaker = hear(Breaker(), LISTED, LISTED, LISTED)
    after = hear(breaker, LISTED, LISTED, SLOW_DOWN)
    assert (after.next_probe_at, after.failures, after.why) == (breaker.next_probe_at, 1, breaker.why)


def test_an_open_breaker_lets_one_probe_through_when_it_is_due() -> None:
    breaker = hear(Breaker(), SLOW_DOWN)
    due = NOW + timedelta(minutes=1)
    assert breaker.at(due - timedelta(seconds=1)).state is BreakerState.OPEN
    assert breaker.at(due).state is BreakerState.HALF_OPEN


def test_a_probe_that_is_taken_closes_it() -> None:
    later = NOW + timedelta(days=1)
    assert hear(hear(Breaker(), LISTED, LISTED, LISTED), TAKEN, now=later) == Breaker()


def test_each_probe_that_is_refused_makes_the_next_wait_longer() -> None:
    breaker, now, minutes = hear(Breaker(), LISTED, LISTED), NOW, []
    for _ in range(7):
        breaker = hear(breaker, LISTED, now=now)
        assert breaker.next_probe_at
        minutes.append((breaker.next_probe_at - now) // timedelta(minutes=1))
        now = breaker.next_probe_at
    assert minutes == [15, 30, 60, 120, 240, 240, 240]
    assert breaker.opened_at == NOW


def test_a_longer_wait_that_the_receiver_asks_for_is_kept() -> None:
    assert pause(hear(Breaker(), SLOW_DOWN, hint=600)) == timedelta(minutes=10)
    assert pause(hear(Breaker(), SLOW_DOWN, hint=1)) == timedelta(minutes=1)


def test_silence_opens_it_at_once_and_waits_longer_each_time() -> None:
    breaker = silence(Breaker())
    assert (breaker.state, pause(breaker)) == (BreakerState.OPEN, timedelta(minutes=5))
    later = NOW + timedelta(minutes=5)
    assert pause(silence(breaker, later), later) == timedelta(minutes=10)


def test_a_refusal_of_the_recipient_ends_an_outage_but_not_a_refusal_of_us() -> None:
    later = NOW + timedelta(hours=5)
    assert hear(silence(Breaker()), UNKNOWN_USER, now=later).is_closed
    assert not hear(hear(Breaker(), LISTED, LISTED, LISTED), UNKNOWN_USER, now=later).is_closed


LIMITS = Limits(connections=5)


def test_a_site_has_room_for_as_much_as_it_was_seen_to_take() -> None:
    clock = HandClock(NOW)
    traffic = Traffic(clock)
    assert traffic.room("google", LIMITS) == FIRST_MAILS
    traffic.begin("google", FIRST_MAILS)
    assert traffic.room("google", LIMITS) == 0
    traffic.end("google", FIRST_MAILS, clock.now())
    assert traffic.room("google", LIMITS) == 2 * FIRST_MAILS
    traffic.begin("google", 2000)
    assert traffic.total == 2000
    traffic.end("google", 2000, clock.now())
    assert traffic.total == 0
    assert traffic.room("google", LIMITS) == 5 * MAILS_PER_CONNECTION_AHEAD
    clock.leap(1)
    assert traffic.room("google", LIMITS) == FIRST_MAILS


def test_a_clock_that_is_set_back_does_not_freeze_what_is_known_of_a_site() -> None:
    flow = Flow(NOW).after(500, NOW)
    assert flow.at(NOW - timedelta(hours=1)) == Flow(NOW - timedelta(hours=1))


def test_a_halted_site_has_room_for_nothing_and_then_for_one_probe() -> None:
    clock = HandClock(NOW)
    traffic = Traffic(clock)
    traffic.turn("google", silence)
    assert traffic.is_halted("google")
    assert traffic.room("google", LIMITS) == 0
    clock.leap(300)
    assert not traffic.is_halted("google")
    assert traffic.room("google", LIMITS) == 1
    traffic.begin("google", 1)
    assert traffic.room("google", LIMITS) == 0
    assert not traffic.is_halted("yahoo")


def test_what_happens_here_is_ahead_of_the_store_until_it_is_told() -> None:
    traffic = Traffic(HandClock(NOW))
    traffic.turn("google", silence)
    traffic.know({})
    assert traffic.is_halted("google")
    traffic.told(traffic.untold)
    traffic.know({})  # a person closed it
    assert not traffic.is_halted("google")


def test_a_breaker_opened_by_another_process_halts_the_site_here() -> None:
    traffic = Traffic(HandClock(NOW))
    traffic.know({"google": silence(Breaker())})
    assert traffic.is_halted("google")


def test_a_count_of_refusals_outlives_a_look_into_the_store() -> None:
    traffic = Traffic(HandClock(NOW))
    for _ in range(REFUSALS_BEFORE_OPENING):
        assert not traffic.is_halted("google")
        traffic.turn("google", lambda breaker: hear(breaker, LISTED))
        traffic.know({})
    assert traffic.is_halted("google")


def test_slow_sites_share_what_places_are_theirs_and_the_quick_always_find_some() -> None:
    clock = HandClock(NOW)
    traffic = Traffic(clock)
    traffic.begin("quick", 4)
    traffic.end("quick", 4, clock.now())
    pits = [f"pit{number}" for number in range(300)]
    shared, most = traffic.share(dict.fromkeys(["quick", *pits], FIRST_MAILS))
    assert shared["quick"] == FIRST_MAILS
    assert sum(shared[pit] for pit in pits) == MOST_WITH_THE_SLOW
    assert most == MOST_UNDER_WAY + MOST_WITH_THE_SLOW
    for pit in pits:
        traffic.begin(pit, shared[pit])
    assert traffic.share({"quick": 200, "pit0": 4, "new": 4}) == ({"quick": 200, "pit0": 0, "new": 0}, MOST_UNDER_WAY)
    clock.leap(60)
    traffic.end("pit0", 4, NOW)
    assert traffic.share({"pit0": 8}) == ({"pit0": 4}, MOST_UNDER_WAY + 4)
