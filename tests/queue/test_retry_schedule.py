"""The five-day schedule, as a table and as properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.queue.retry_schedule import WINDOW, next_attempt

FIRST = datetime(2026, 3, 27, 22, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def tries(message_id: int, *, slow: bool = False, counted: bool = True) -> list[timedelta]:
    """Every try of a message that never gets through, by the time since the first."""
    now: datetime | None = FIRST
    made: list[timedelta] = []
    while now is not None:
        made.append(now - FIRST)
        now = next_attempt(FIRST, len(made) if counted else None, now, message_id, slow=slow)
    return made


@pytest.mark.parametrize(("attempts", "gap_minutes"), [(1, 5), (2, 10), (3, 15), (4, 30), (5, 60), (6, 120), (7, 270)])
def test_a_gap_is_as_in_the_table_and_at_most_a_tenth_longer(attempts: int, gap_minutes: int) -> None:
    due = next_attempt(FIRST, attempts, FIRST + MINUTE, message_id=7)
    assert due is not None
    gap = due - FIRST - MINUTE
    assert gap_minutes * MINUTE <= gap <= gap_minutes * MINUTE * 1.1


def test_about_thirty_tries_are_made_in_five_days() -> None:
    assert {29, 30, 31, 32} >= {len(tries(message_id)) for message_id in range(200)}


def test_the_last_try_is_at_the_end_of_the_fifth_day() -> None:
    assert tries(1)[-1] == WINDOW


@given(st.integers(0, 2**63))
def test_tries_are_never_more_than_five_hours_apart(message_id: int) -> None:
    made = tries(message_id)
    assert all(timedelta() < later - earlier <= timedelta(hours=5) for earlier, later in pairwise(made))


def test_what_came_back_by_mail_is_tried_on_the_slow_part_only() -> None:
    made = tries(1, slow=True)
    assert made[1] >= timedelta(hours=4)
    assert 25 <= len(made) <= 28


def test_tries_that_are_not_counted_follow_the_same_schedule_by_the_time_gone() -> None:
    for message_id in range(50):
        counted, uncounted = tries(message_id), tries(message_id, counted=False)
        assert uncounted[:8] == counted[:8]
        assert len(uncounted) - len(counted) in {-1, 0, 1}


def test_messages_that_failed_together_come_back_apart() -> None:
    assert len({next_attempt(FIRST, 1, FIRST, message_id) for message_id in range(100)}) > 90


def test_the_same_try_always_gets_the_same_answer() -> None:
    assert next_attempt(FIRST, 3, FIRST, 42) == next_attempt(FIRST, 3, FIRST, 42)


def test_a_wait_hint_is_kept() -> None:
    assert next_attempt(FIRST, 1, FIRST, 1, wait_hint_seconds=3600) == FIRST + timedelta(hours=1)


def test_a_wait_hint_that_is_shorter_than_the_schedule_changes_nothing() -> None:
    assert next_attempt(FIRST, 3, FIRST, 1, wait_hint_seconds=1) == next_attempt(FIRST, 3, FIRST, 1)


def test_no_wait_hint_is_kept_for_more_than_a_day() -> None:
    assert next_attempt(FIRST, 1, FIRST, 1, wait_hint_seconds=1e9) == FIRST + timedelta(days=1)


def test_after_five_days_there_is_no_next_try() -> None:
    assert next_attempt(FIRST, 30, FIRST + WINDOW, 1) is None
    assert next_attempt(FIRST, 2, FIRST + WINDOW * 2, 1) is None


def test_the_window_can_be_set() -> None:
    assert next_attempt(FIRST, 9, FIRST + timedelta(days=1), 1, window=timedelta(days=1)) is None


def test_a_night_on_which_the_clocks_change_moves_nothing() -> None:
    """29 March 2026 has 23 hours in Stockholm; every instant here is UTC."""
    assert tries(1)[-1] == timedelta(hours=120)
