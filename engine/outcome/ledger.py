"""Gathers the outcomes of attempts and writes them in batches: while one batch is being synced the next one gathers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from engine.outcome.apply import AttemptOutcome
from engine.store.trouble import Trouble

_LARGEST_BATCH = 500


class Ledger:
    """Outcomes on their way to the database; `write` settles one batch in one transaction or raises.

    A batch that cannot be written is kept and tried again until the database is back. What is lost with the process is
    found again by its lease.
    """

    def __init__(self, write: Callable[[Sequence[AttemptOutcome]], Awaitable[None]]) -> None:
        self._write = write
        self._trouble = Trouble("outcomes wait to be written")
        self._gathered: list[AttemptOutcome] = []
        self._news = asyncio.Event()
        self._written = asyncio.Event()
        self._written.set()
        self._task = asyncio.create_task(self._write_forever())

    def put(self, outcome: AttemptOutcome) -> None:
        """Note one outcome; returns at once."""
        self._gathered.append(outcome)
        self._written.clear()
        self._news.set()

    async def drain(self) -> None:
        """Return once everything noted so far is on the disk."""
        await self._written.wait()

    async def close(self) -> None:
        """Write what is left, then stop."""
        await self.drain()
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _write_forever(self) -> None:
        while True:
            await self._news.wait()
            batch, self._gathered = self._gathered[:_LARGEST_BATCH], self._gathered[_LARGEST_BATCH:]
            await self._write_until_done(batch)
            if not self._gathered:
                self._news.clear()
                self._written.set()

    async def _write_until_done(self, batch: Sequence[AttemptOutcome]) -> None:
        while True:
            try:
                await self._write(batch)
            except Exception as error:  # whatever the database says, the outcomes must not be dropped
                await asyncio.sleep(self._trouble.note(error))
            else:
                self._trouble.end()
                return
