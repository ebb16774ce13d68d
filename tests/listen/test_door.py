"""Who is inside, and who is turned away."""

from __future__ import annotations

import asyncio

import pytest

from config.vocabulary import Reply
from engine.listen.door import Door, neighbour_of
from engine.listen.limits import ListenerLimits
from engine.listen.replies import TOO_MANY_SESSIONS

LIMITS = ListenerLimits(sessions=4, sessions_per_address=2, handshakes=3)


class FakeGuest:
    """A session that remembers what it was told."""

    is_busy = False

    def __init__(self, peer: str, heard_at: float = 0.0) -> None:
        self.peer = peer
        self.heard_at = heard_at
        self.told: Reply | None = None

    def turn_away(self, reply: Reply) -> None:
        self.told = reply

    def task(self) -> asyncio.Task[None]:
        raise NotImplementedError  # only the server that stops waits for it, never the door


def enter(door: Door, peer: str, heard_at: float = 0.0) -> tuple[FakeGuest, Reply | None]:
    guest = FakeGuest(peer, heard_at)
    refusal = door.enter(guest)
    if refusal is None:
        door.introduce(guest)
    return guest, refusal


def test_one_address_holds_no_more_than_its_share() -> None:
    door = Door(LIMITS)
    answers = [enter(door, "192.0.2.1")[1] for _ in range(3)]
    assert answers == [None, None, TOO_MANY_SESSIONS]
    assert enter(door, "192.0.2.2")[1] is None


def test_a_full_house_sends_the_quietest_home() -> None:
    door = Door(LIMITS)
    guests = [enter(door, f"192.0.2.{number}", heard_at=float(number % 3))[0] for number in range(1, 5)]
    assert enter(door, "192.0.2.9", heard_at=5.0)[1] is None
    assert [guest.told for guest in guests] == [None, None, TOO_MANY_SESSIONS, None]
    assert len(door.guests) == 4


def test_leaving_twice_or_without_having_entered_counts_nothing() -> None:
    door = Door(LIMITS)
    first, _ = enter(door, "192.0.2.1")
    second, _ = enter(door, "192.0.2.1")
    stranger, refusal = enter(door, "192.0.2.1")
    assert refusal
    for guest in (first, first, stranger):
        door.leave(guest)
    assert door.guests == [second]
    assert enter(door, "192.0.2.1")[1] is None
    assert enter(door, "192.0.2.1")[1] == TOO_MANY_SESSIONS


def test_the_oldest_stranger_goes_when_strangers_are_too_many() -> None:
    door = Door(LIMITS)
    strangers = [FakeGuest(f"192.0.2.{number}") for number in range(4)]
    for stranger in strangers:
        assert door.enter(stranger) is None
    assert [stranger.told for stranger in strangers] == [TOO_MANY_SESSIONS, None, None, None]


def test_who_introduced_itself_is_no_stranger() -> None:
    door = Door(LIMITS)
    guest, _ = enter(door, "192.0.2.0")
    for number in range(1, 4):
        door.enter(FakeGuest(f"192.0.2.{number}"))
    assert guest.told is None


@pytest.mark.parametrize(
    ("peer", "neighbour"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
    ],
)
def test_an_ipv6_customer_is_one_neighbour(peer: str, neighbour: str) -> None:
    assert neighbour_of(peer) == neighbour
