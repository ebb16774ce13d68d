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
_QUESTIONS_AT_ONCE = 200
_MOST_KEPT = 20_000

Way = Route | Unroutable
"""Where mail for a domain goes, or why it can go nowhere."""


@dataclass(frozen=True, slots=True)
class _Entry:
    way: Way
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
        self._asking: dict[str, asyncio.Task[Way]] = {}
        self._turn = asyncio.Semaphore(_QUESTIONS_AT_ONCE)

    async def find(self, domains: Collection[str], patience_seconds: float | None = None) -> dict[str, Way]:
        """Return the way to each of the domains, or with patience to those that are known in time.

        The others are asked on, and no later call has patience with them again.
        """
        now = self._clock.now()
        self._make_room(len(domains))
        missing = [domain for domain in domains if not self._knows(domain, now)]
        slow = set(self._asking.values()) if patience_seconds is not None else set()
        asking = {self._ask(domain) for domain in missing} - slow
        if asking:
            await asyncio.wait(asking, timeout=patience_seconds)
        ways = {domain: self._take(domain, now) for domain in domains}
        return {domain: way for domain, way in ways.items() if way}

    async def close(self) -> None:
        """Ask nothing more."""
        asking = list(self._asking.values())
        self._asking.clear()
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    def _make_room(self, domains: int) -> None:
        if len(self._entries) + domains > _MOST_KEPT:
            self._entries.clear()

    def _knows(self, domain: str, now: datetime) -> bool:
        entry = self._entries.get(domain)
        return entry is not None and entry.good_until > now

    def _ask(self, domain: str) -> asyncio.Task[Way]:
        if domain not in self._asking:
            self._asking[domain] = asyncio.create_task(self._look_up(domain))
        return self._asking[domain]

    def _take(self, domain: str, now: datetime) -> Way | None:
        """The way that is known or has just been found out; what DNS could not tell is told once."""
        task = self._asking.get(domain)
        if task is None or not task.done():
            return self._entries[domain].way if self._knows(domain, now) else None
        del self._asking[domain]
        way = task.result()
        if isinstance(way, Route) or way.verdict.status is not VerdictStatus.DEFERRED:
            self._entries[domain] = _Entry(way, now + KEPT_FOR)
        return way

    async def _look_up(self, domain: str) -> Way:
        async with self._turn:
            way = await find_route(self._resolver, domain, port=self._port)
            return await self._policies.secure(way) if self._policies and isinstance(way, Route) else way
