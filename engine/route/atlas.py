"""The ways to many domains at once, remembered for some minutes."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.vocabulary import Route, VerdictStatus
from engine.clock import Clock
from engine.route.mx import SMTP_PORT, Unroutable, find_route
from engine.route.resolver import Resolver
from engine.route.tls_policy import TlsPolicies

KEPT_FOR = timedelta(minutes=5)
_QUESTIONS_AT_ONCE = 50
_MOST_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class _Entry:
    way: Route | Unroutable
    good_until: datetime


class Atlas:
    """Answers for whole sets of domains; a way is looked up again after five minutes, a lookup that failed at once.

    With `policies`, each way carries what its domain demands of TLS.
    """

    def __init__(
        self, resolver: Resolver, clock: Clock, *, port: int = SMTP_PORT, policies: TlsPolicies | None = None
    ) -> None:
        self._resolver = resolver
        self._policies = policies
        self._clock = clock
        self._port = port
        self._entries: dict[str, _Entry] = {}
        self._turn = asyncio.Semaphore(_QUESTIONS_AT_ONCE)

    async def find(self, domains: Collection[str]) -> dict[str, Route | Unroutable]:
        """Return the way to each of the domains."""
        now = self._clock.now()
        missing = [domain for domain in domains if not self._knows(domain, now)]
        if len(self._entries) + len(missing) > _MOST_KEPT:
            self._entries.clear()
            missing = list(domains)
        await asyncio.gather(*(self._look_up(domain, now) for domain in missing))
        return {domain: self._entries[domain].way for domain in domains}

    def _knows(self, domain: str, now: datetime) -> bool:
        entry = self._entries.get(domain)
        return entry is not None and entry.good_until > now

    async def _look_up(self, domain: str, now: datetime) -> None:
        async with self._turn:
            way = await find_route(self._resolver, domain, port=self._port)
            if self._policies and isinstance(way, Route):
                way = await self._policies.secure(way)
        keep = isinstance(way, Route) or way.verdict.status is not VerdictStatus.DEFERRED
        self._entries[domain] = _Entry(way, now + KEPT_FOR if keep else now)
