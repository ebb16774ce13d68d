"""The senders of an installation: who lives, and whose site is whose, so that limits hold across all of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.vocabulary import ServiceRole
from engine.clock import Clock
from engine.queue.ownership import owner_of
from engine.store import nodes
from engine.store.database import Connection
from engine.wiring import DEAD_AFTER

_LOOKS_EVERY = timedelta(seconds=1)


class Crew:
    """What one sender knows of the others; without a name of its own it is alone and every site is its own."""

    def __init__(self, clock: Clock, name: str | None) -> None:
        self._clock = clock
        self._name = name
        self._members: tuple[str, ...] = ()
        self._looked_at: datetime | None = None

    async def look(self, connection: Connection) -> None:
        """See who lives, at most once a second."""
        now = self._clock.now()
        if self._name is None or (self._looked_at and now - self._looked_at < _LOOKS_EVERY):
            return
        alive = await nodes.alive(connection, ServiceRole.SEND, now - DEAD_AFTER)
        self._members = tuple(node.name for node in alive)
        self._looked_at = now

    def owns(self, site: str) -> bool:
        """Whether this sender is the one that speaks with a site; a sender nobody has heard of yet owns nothing."""
        if self._name is None:
            return True
        return self._name in self._members and owner_of(site, self._members) == self._name
