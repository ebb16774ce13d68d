"""The claims that one sender has under way, so that a batch that a slow receiver holds up keeps its lease."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from engine.store.queue import Job


class Leases:
    """The batches under way; `length` is how long a lease lasts. It is renewed at a third, at the latest at two."""

    def __init__(self, length: timedelta) -> None:
        self.length = length
        self._soon = length / 3
        self._batches: dict[int, Sequence[Job]] = {}
        self._renewed_at: datetime | None = None

    def begin(self, jobs: Sequence[Job]) -> None:
        self._batches[id(jobs)] = jobs

    def end(self, jobs: Sequence[Job]) -> None:
        """The batch is done with, or given back."""
        del self._batches[id(jobs)]

    def due(self, now: datetime) -> list[Job]:
        """What has been under way so long that its leases are better renewed."""
        if self._renewed_at and timedelta() <= now - self._renewed_at < self._soon:
            return []
        return [job for jobs in self._batches.values() if now - jobs[0].claimed_at >= self._soon for job in jobs]

    def renewed(self, jobs: Sequence[Job], now: datetime) -> None:
        """What was due is held for another length from now."""
        if jobs:
            self._renewed_at = now
