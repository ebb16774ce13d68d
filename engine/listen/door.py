"""Who is inside: counts sessions, sessions of one neighbour and strangers who have not introduced themselves."""

from __future__ import annotations

import asyncio
from collections import Counter
from ipaddress import IPv6Address, ip_address
from typing import Protocol

from config.vocabulary import Reply
from engine.listen.limits import ListenerLimits
from engine.listen.replies import TOO_MANY_SESSIONS

_IPV6_NEIGHBOURS_BITS = 64


class Guest(Protocol):
    """A session as the door sees it."""

    @property
    def peer(self) -> str: ...

    @property
    def is_busy(self) -> bool: ...

    @property
    def heard_at(self) -> float: ...

    def task(self) -> asyncio.Task[None]: ...

    def turn_away(self, reply: Reply) -> None: ...


class Door:
    """The count of all sessions. Slow ones never bar the way: when strangers are too many the oldest of them goes, and
    when the house is full whoever has said nothing for the longest time, a mail under way being one word.
    """

    def __init__(self, limits: ListenerLimits) -> None:
        self._limits = limits
        self._inside: dict[Guest, str] = {}
        self._strangers: dict[Guest, None] = {}
        self._by_neighbour: Counter[str] = Counter()

    @property
    def guests(self) -> list[Guest]:
        return list(self._inside)

    def enter(self, guest: Guest) -> Reply | None:
        """Let a session in and return None, or return what to say to it instead."""
        neighbour = neighbour_of(guest.peer)
        if self._by_neighbour[neighbour] >= self._limits.sessions_per_address:
            return TOO_MANY_SESSIONS
        if len(self._inside) >= self._limits.sessions:
            self._send_home(min(self._inside, key=lambda one: one.heard_at))
        self._inside[guest] = neighbour
        self._by_neighbour[neighbour] += 1
        self.meet_stranger(guest)
        return None

    def meet_stranger(self, guest: Guest) -> None:
        """Count a session as one that has yet to say EHLO, as it is at first and after STARTTLS."""
        self._strangers[guest] = None
        if len(self._strangers) > self._limits.handshakes:
            self._send_home(next(iter(self._strangers)))

    def introduce(self, guest: Guest) -> None:
        self._strangers.pop(guest, None)

    def leave(self, guest: Guest) -> None:
        """Forget a session, also one that never got in."""
        self._strangers.pop(guest, None)
        neighbour = self._inside.pop(guest, None)
        if neighbour is None:
            return
        self._by_neighbour[neighbour] -= 1
        if not self._by_neighbour[neighbour]:
            del self._by_neighbour[neighbour]

    def _send_home(self, guest: Guest) -> None:
        self.leave(guest)
        guest.turn_away(TOO_MANY_SESSIONS)


def neighbour_of(peer: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 that one IPv6 customer holds."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> _IPV6_NEIGHBOURS_BITS << _IPV6_NEIGHBOURS_BITS))
