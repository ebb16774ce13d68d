"""What we remember of addresses: which did not answer lately, which family has no way out, whose TLS is broken."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from config.vocabulary import Host

TROUBLE = timedelta(minutes=10)
"""How long an address that did not answer goes to the end of the line."""
BROKEN_TLS = timedelta(hours=4)
"""How long a host whose TLS handshake failed is spoken to in plaintext (only where its domain demands nothing)."""

WayIn = tuple[Host, str]
"""A host and one of its addresses."""


class Memory:
    """Remembers for a while; holds instants, so it can be asked at any time."""

    def __init__(self) -> None:
        self._trouble: dict[str, datetime] = {}
        self._broken_tls: dict[str, datetime] = {}

    def order(self, hosts: Iterable[Host], now: datetime) -> list[WayIn]:
        """Every way in, hosts in their order, those with recent trouble last."""
        ways = [(host, address) for host in hosts for address in host.addresses]
        return sorted(ways, key=lambda way: self._has_trouble(way[1], now))

    def note_trouble(self, address: str, now: datetime, *, whole_family: bool = False) -> None:
        """The address did not answer; `whole_family` where no address of its kind can be reached from here."""
        self._trouble[_family(address) if whole_family else address] = now + TROUBLE
        _forget_old(self._trouble, now)

    def note_well(self, address: str) -> None:
        self._trouble.pop(address, None)
        self._trouble.pop(_family(address), None)

    def note_broken_tls(self, address: str, now: datetime) -> None:
        self._broken_tls[address] = now + BROKEN_TLS
        _forget_old(self._broken_tls, now)

    def is_tls_broken(self, address: str, now: datetime) -> bool:
        return self._broken_tls.get(address, now) > now

    def _has_trouble(self, address: str, now: datetime) -> bool:
        return any(self._trouble.get(name, now) > now for name in (address, _family(address)))


def _family(address: str) -> str:
    return "IPv6" if ":" in address else "IPv4"


def _forget_old(notes: dict[str, datetime], now: datetime) -> None:
    """Drop what has passed once there is much of it."""
    if len(notes) > 10_000:
        for name in [name for name, until in notes.items() if until <= now]:
            del notes[name]
