"""A batch that a slow receiver holds up keeps its lease, and a quick one costs no renewal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from config.vocabulary import MessageStatus
from engine.queue.leases import Leases
from engine.store.queue import Job

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LENGTH = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)


def batch(claimed_at: datetime) -> list[Job]:
    address = ("ida@example.org", "ida@example.org", "Ida", "Berg", "example.org")
    return [Job(1, 1, 1, 1, *address, MessageStatus.QUEUED, 1, NOW, claimed_at, claimed_at, "lease")]


def test_a_batch_under_way_is_renewed_long_before_its_lease_ends() -> None:
    leases, jobs = Leases(LENGTH), batch(NOW)
    leases.begin(jobs)
    held_until, now = NOW + LENGTH, NOW
    while now < NOW + timedelta(hours=2):
        now += MINUTE
        assert held_until - now > LENGTH / 4
        due = leases.due(now)
        if due:
            assert due == jobs
            held_until = now + LENGTH
        leases.renewed(due, now)
    leases.end(jobs)
    assert leases.due(now + LENGTH) == []


def test_a_quick_batch_is_not_renewed() -> None:
    leases, jobs = Leases(LENGTH), batch(NOW)
    leases.begin(jobs)
    assert leases.due(NOW + MINUTE) == []


def test_a_batch_that_begins_right_after_a_renewal_waits_for_the_next_and_is_in_time() -> None:
    leases, slow, later = Leases(LENGTH), batch(NOW), batch(NOW + MINUTE)
    leases.begin(slow)
    leases.begin(later)
    due = leases.due(NOW + 5 * MINUTE)
    leases.renewed(due, NOW + 5 * MINUTE)
    assert due == slow
    assert leases.due(NOW + 9 * MINUTE) == []
    assert leases.due(NOW + 10 * MINUTE) == [*slow, *later]


def test_a_clock_that_is_set_back_does_not_stop_renewing() -> None:
    leases, jobs = Leases(LENGTH), batch(NOW)
    leases.begin(jobs)
    leases.renewed(jobs, NOW + timedelta(hours=3))
    assert leases.due(NOW + 6 * MINUTE) == jobs
