"""Fair shares: a large mailing never holds up a small one."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from config.vocabulary import MessageStatus
from engine.queue.fairness import QUANTUM, Fairness, Shares, choose
from engine.store.lanes import Lane
from engine.store.queue import Job, Want

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def lane(domain: str, mailing_id: int, association_id: int) -> Lane:
    return Lane(domain, mailing_id, association_id, NOW)


def jobs(want: Want, association_id: int, count: int) -> list[Job]:
    return [
        Job(
            number,
            want.mailing_id,
            association_id,
            number,
            "",
            "",
            "",
            "",
            want.domain,
            MessageStatus.QUEUED,
            1,
            NOW,
            NOW,
            NOW,
            "mine",
        )
        for number in range(count)
    ]


class Queue:
    """How many messages wait in each lane; claims as the store would."""

    def __init__(self, waiting: dict[tuple[str, int, int], int]) -> None:
        self.waiting = Counter(waiting)

    def lanes(self) -> list[Lane]:
        return [lane(*key) for key, count in self.waiting.items() if count]

    def claim(self, wants: list[Want]) -> list[Job]:
        claimed: list[Job] = []
        for want in wants:
            key = next(key for key in self.waiting if key[:2] == (want.domain, want.mailing_id))
            count = min(want.limit, self.waiting[key])
            self.waiting[key] -= count
            claimed += jobs(want, key[2], count)
        return claimed


def rounds_until_gone(queue: Queue, mailing_id: int, *, total: int, room: int) -> int:
    """How many rounds it takes until a mailing has left."""
    fairness = Fairness()
    for number in range(1, 10_000):
        lanes = queue.lanes()
        wants = fairness.choose(lanes, {each.domain: room for each in lanes}, total)
        fairness.note(queue.claim(wants))
        if not any(count for key, count in queue.waiting.items() if key[1] == mailing_id):
            return number
    raise AssertionError("never")


def test_a_mailing_of_a_hundred_thousand_does_not_hold_up_another_associations_fifty() -> None:
    waiting = {(f"d{number}.example", 1, 1): 2_000 for number in range(50)}
    queue = Queue(waiting | {(f"d{number}.example", 2, 2): 10 for number in range(5)})
    assert rounds_until_gone(queue, 2, total=200, room=100) == 1


def test_a_newcomer_is_owed_nothing_for_the_time_before_it_came() -> None:
    fairness = Fairness()
    big = lane("one.example", 1, 1)
    fairness.choose([big], {}, 100)
    fairness.note(jobs(Want("one.example", 1, 1), 1, 5_000))
    wants = fairness.choose([big, lane("two.example", 2, 2)], {"one.example": 500, "two.example": 500}, 100)
    assert {want.mailing_id: want.limit for want in wants} == {1: 50, 2: 50}


def test_who_got_nothing_in_a_round_is_not_forgotten() -> None:
    shares = Shares({1: 0, 2: 0}, {1: 0, 2: 0}).after(jobs(Want("a.example", 1, 1), 1, 100))
    assert shares.among([lane("a.example", 1, 1), lane("b.example", 2, 2)]) == Shares({1: 100, 2: 0}, {1: 100, 2: 0})


def test_mailings_of_one_association_share_what_it_gets() -> None:
    lanes = [lane("a.example", 1, 1), lane("b.example", 2, 1), lane("c.example", 3, 2)]
    wants = choose(lanes, {each.domain: 1_000 for each in lanes}, 400, Shares())
    assert {want.mailing_id: want.limit for want in wants} == {1: 100, 2: 100, 3: 200}


def test_who_has_had_least_goes_first() -> None:
    lanes = [lane("a.example", 1, 1), lane("b.example", 2, 2)]
    wants = choose(lanes, {"a.example": 100, "b.example": 100}, 30, Shares({1: 100, 2: 0}, {1: 100, 2: 0}))
    assert [(want.mailing_id, want.limit) for want in wants] == [(2, 30)]


def test_a_site_without_room_gets_nothing_and_holds_up_nobody() -> None:
    lanes = [lane("full.example", 1, 1), lane("free.example", 1, 1)]
    assert choose(lanes, {"full.example": 0, "free.example": 25}, 100, Shares()) == [Want("free.example", 1, 25)]


def test_domains_of_one_site_share_its_room() -> None:
    lanes = [lane("a.example", 1, 1), lane("b.example", 1, 1)]
    site_of = {"a.example": "mx.example", "b.example": "mx.example"}
    wants = choose(lanes, {"mx.example": 15}, 100, Shares(), site_of=site_of)
    assert sum(want.limit for want in wants) == 15
    assert {want.site for want in wants} == {"mx.example"}


def test_a_site_that_nobody_knows_yet_gets_one_quantum() -> None:
    assert choose([lane("new.example", 1, 1)], {}, 100, Shares()) == [Want("new.example", 1, QUANTUM)]


def test_every_domain_of_a_mailing_gets_its_turn() -> None:
    queue = Queue({(f"d{number}.example", 1, 1): 10 for number in range(40)})
    assert rounds_until_gone(queue, 1, total=100, room=10) == 4


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(0, 40)), max_size=12), st.integers(0, 300))
def test_nobody_gets_more_than_there_is_room_for(parts: list[tuple[int, int, int]], total: int) -> None:
    lanes = [lane(f"d{number}.example", mailing, owner) for number, (owner, mailing, _) in enumerate(parts)]
    room = {f"d{number}.example": free for number, (_, _, free) in enumerate(parts)}
    wants = choose(lanes, room, total, Shares())
    assert sum(want.limit for want in wants) == min(total, sum(room.values()))
    assert all(0 < want.limit <= room[want.domain] for want in wants)
