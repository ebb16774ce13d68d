"""Lets the sandbox's days pass: works until nothing is in flight, then leaps to the next instant that is due."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from engine.store.lanes import next_due
from scripts.demonstration.stage import Stage

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GRAIN = timedelta(minutes=5)


class Driver:
    """The discrete-event clock: `pass_until` moves it, and tells `watch` after every step."""

    def __init__(self, stage: Stage, watch: Callable[[], Awaitable[None]]) -> None:
        self._clock, self._database, self._world = stage.clock, stage.database, stage.world
        self._outbound, self._inbound, self._watch = stage.outbound, stage.inbound, watch

    async def pass_until(self, instant: datetime) -> None:
        """Let everything happen that is due up to an instant, in order, and arrive there.

        What is due and yet not sent waits for its turn at a site that takes only so much a minute: time must pass.
        """
        while True:
            await self.settle()
            due = await self._next_due()
            if due is None or due >= instant:
                break
            self._clock.leap_to(min(max(_round_up(due), self._clock.now() + _GRAIN), instant))
        self._clock.leap_to(instant)
        await self.settle()

    async def settle(self) -> None:
        """Work until nothing is left to do at this instant."""
        is_busy = True
        while is_busy:
            await self._outbound.run_until_idle()
            acted = await self._world.act_until(self._clock.now())
            is_busy = bool(await self._inbound.run_until_idle() or acted)
            await self._watch()

    async def keep_pace(self, grain_seconds: float = 0.5) -> None:
        """Go on in step with the machine's clock until cancelled."""
        while True:
            await asyncio.sleep(grain_seconds)
            self._clock.leap(grain_seconds)
            await self.settle()

    async def _next_due(self) -> datetime | None:
        """The next instant at which a message or the world wants something."""
        async with self._database.read() as connection:
            dues = (await next_due(connection), self._world.next_due())
        return min((due for due in dues if due), default=None)


def _round_up(instant: datetime) -> datetime:
    """Up to the next even minutes, so that what is due nearly together happens together."""
    return instant + (_EPOCH - instant) % _GRAIN
