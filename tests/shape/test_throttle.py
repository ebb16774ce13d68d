"""Slower at once, faster bit by bit."""

from datetime import UTC, datetime, timedelta

import pytest

from config.vocabulary import Limits, Reason
from dsn_parser.classify import verdict_of
from engine.clock import HandClock
from engine.shape.limits import explain_limits, limits_of
from engine.shape.tempo import Tempo
from engine.shape.throttle import FULL_PACE, MAILS_A_STEP, SLOWEST, Bucket, Pace, fill, narrow, slow_down, take_note

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
RATED = Limits(10, 100, 60)
TOO_MANY = verdict_of(Reason.TOO_MANY_CONNECTIONS)
TAKEN = verdict_of(Reason.ACCEPTED)


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def slowed(times: int) -> Pace:
    """Full pace after so many complaints a minute apart, the last of them now."""
    pace = FULL_PACE
    for minute in range(times, 0, -1):
        pace = slow_down(pace, "slow down", after(1 - minute))
    return pace


@pytest.mark.parametrize(("times", "share"), [(0, 1), (1, 1 / 2), (2, 1 / 4), (6, 1 / 64), (9, SLOWEST)])
def test_each_complaint_halves_the_pace_down_to_the_slowest(times: int, share: float) -> None:
    assert slowed(times).share == share


def test_a_complaint_on_every_connection_at_once_counts_once() -> None:
    assert slow_down(slow_down(FULL_PACE, "421 first", NOW), "421 second", after(0.01)) == slow_down(
        FULL_PACE, "421 first", NOW
    )


def test_mails_taken_raise_the_pace_bit_by_bit_until_it_is_full() -> None:
    pace, shares = slowed(1), []
    for _ in range(8 * MAILS_A_STEP):
        pace = take_note(pace)
        shares.append(pace.share)
    assert shares[MAILS_A_STEP - 2] == 0.5
    assert shares[MAILS_A_STEP - 1] == 0.5 + 1 / 16
    assert pace is FULL_PACE


@pytest.mark.parametrize(
    ("minutes", "share"), [(0, 1 / 4), (59, 1 / 4), (60, 1 / 2), (119, 1 / 2), (120, 1), (9999, 1)]
)
def test_every_hour_without_a_complaint_doubles_the_pace(minutes: float, share: float) -> None:
    assert slowed(2).at(after(minutes)).share == share


def test_looking_often_forgives_no_sooner() -> None:
    pace = slowed(2)
    for minute in range(61):
        pace = pace.at(after(minute))
    assert pace.share == 1 / 2


@pytest.mark.parametrize(
    ("limits", "times", "narrowed"),
    [
        (Limits(10, 100), 0, Limits(10, 100)),
        (Limits(10, 100), 1, Limits(5, 100, 300)),
        (Limits(10, 100), 3, Limits(1, 100, 75)),
        (Limits(5, 50), 6, Limits(1, 50, 9)),
        (RATED, 1, Limits(5, 100, 30)),
        (Limits(1, 1, 2), 9, Limits(1, 1, 1)),
    ],
)
def test_a_pace_narrows_connections_and_rate(limits: Limits, times: int, narrowed: Limits) -> None:
    assert narrow(limits, slowed(times)) == narrowed


@pytest.mark.parametrize(
    ("bucket", "mails"),
    [
        (None, 10),  # a new one holds ten seconds' worth
        (Bucket(0, NOW), 0),
        (Bucket(0, after(-0.05)), 3),
        (Bucket(0, after(-60)), 10),
        (Bucket(4, after(60)), 4),  # a clock set back fills nothing
    ],
)
def test_a_bucket_fills_at_the_rate_and_runs_over(bucket: Bucket | None, mails: float) -> None:
    filled = fill(bucket, RATED, NOW)
    assert filled
    assert filled.mails == pytest.approx(mails)
    assert filled.filled_at == NOW


def test_a_site_without_a_rate_has_no_bucket() -> None:
    assert fill(Bucket(0, NOW), Limits(), NOW) is None


def test_a_site_is_slowed_by_its_words_and_recovers_by_taking_mail() -> None:
    clock = HandClock(NOW)
    tempo = Tempo(clock)
    assert tempo.limits("google") == Limits(5, 50)
    assert tempo.allowance("google", 500) == 500
    tempo.hear("google", TOO_MANY, "421 4.7.28 too many")
    assert tempo.limits("google") == Limits(2, 50, 300)
    assert tempo.limits("yahoo") == Limits(10, 20)
    for _ in range(8 * MAILS_A_STEP):
        tempo.hear("google", TAKEN, "250 Ok")
    assert tempo.limits("google") == Limits(5, 50)


def test_a_rate_is_spent_and_fills_again() -> None:
    clock = HandClock(NOW)
    tempo = Tempo(clock)
    tempo.hear("small.example", TOO_MANY, "421 slow down")  # 300 a minute
    assert tempo.allowance("small.example", 500) == 50
    tempo.spend("small.example", 50)
    assert tempo.allowance("small.example", 500) == 0
    tempo.spend("small.example", -5)
    assert tempo.allowance("small.example", 500) == 5
    clock.leap(2)
    assert tempo.allowance("small.example", 500) == 15


def test_a_site_that_recovers_has_its_bucket_taken_away() -> None:
    clock = HandClock(NOW)
    tempo = Tempo(clock)
    tempo.hear("small.example", TOO_MANY, "421 slow down")
    tempo.spend("small.example", 50)
    clock.leap(3600)
    tempo.spend("small.example", 50)
    assert tempo.allowance("small.example", 500) == 500


@pytest.mark.parametrize("reason", [Reason.USER_UNKNOWN, Reason.BLOCKED, Reason.MAILBOX_FULL])
def test_other_words_leave_the_pace_alone(reason: Reason) -> None:
    tempo = Tempo(HandClock(NOW))
    tempo.hear("google", verdict_of(reason), "550 no")
    assert tempo.pace("google") is FULL_PACE


def test_limits_are_explained_with_their_source() -> None:
    explained = explain_limits("google")
    assert (explained.effective, explained.given) == (limits_of("google"), limits_of("google"))
    assert "support.google.com" in explained.source
    assert explained.why == "as given: the site has not asked for less"


def test_narrowed_limits_are_explained_with_the_sites_own_words() -> None:
    explained = explain_limits("small.example", slow_down(FULL_PACE, "421 Too many connections", NOW))
    assert explained.effective == Limits(5, 100, 300)
    assert "default" in explained.source
    assert explained.why == '50% of what is given, since 2026-01-01 12:00 UTC, when it said "421 Too many connections"'
