"""Tells the associations' own programs what happened to their mail: at least once, in order, nobody held up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from config.settings import Settings
from engine.clock import Clock
from engine.gateway import make_web
from engine.keys import Keys
from engine.store import alerts, webhooks
from engine.store.database import Database
from engine.store.trouble import Trouble
from engine.store.webhooks import Batch, Webhook
from engine.webhook import Herald, rest_after

ALERT = "webhook"
_LEASE = timedelta(minutes=1)
_MOST_AT_ONCE = 50
_LOOKS, _LOOK_SECONDS = 30, 0.1
"""How often, and after how long each time, it is looked whether older events can still appear."""


class Telling:
    """The webhooks that one process tells, each in a task of its own; every attempt is booked before it is made."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, keys: Keys) -> None:
        self._database = database
        self._clock = clock
        self._herald = Herald(make_web(settings, clock), keys.ring)
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self._trouble = Trouble("webhooks wait")

    async def tell_due(self) -> int:
        """Begin to tell every webhook that is due, and wait for none of them; returns how many."""
        async with self._database.read() as connection:
            room = _MOST_AT_ONCE - len(self._under_way)
            due = await webhooks.find_due(connection, self._clock.now(), room)
        if not due:
            return 0
        end = await self._find_end()
        for hook in due:
            task = asyncio.create_task(self._tell(hook, end))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return len(due)

    async def finish(self) -> None:
        """Wait for all that has begun."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def close(self) -> None:
        """Tell what is on its way to the end of its batch, and no more."""
        self._is_closing = True
        await self.finish()

    async def _find_end(self) -> int:
        """The newest event behind which no other can appear any more; 0 where one has been on its way for long."""
        async with self._database.read() as connection:
            newest, writers = await webhooks.find_newest(connection)
        for _ in range(_LOOKS):
            if not writers:
                return newest
            await asyncio.sleep(_LOOK_SECONDS)
            async with self._database.read() as connection:
                writers &= await webhooks.find_writers(connection)
        return 0

    async def _tell(self, hook: Webhook, end: int) -> None:
        """Tell one webhook everything up to an event, batch by batch; should that fail, its lease runs out."""
        try:
            await self._tell_in_order(hook, end)
        except Exception as error:  # the others go on
            self._trouble.note(error)
        else:
            self._trouble.end()

    async def _tell_in_order(self, hook: Webhook, end: int) -> None:
        mine = replace(hook, next_attempt_at=self._clock.now() + _LEASE)
        is_mine = hook.told_event_id < end and await self._save(hook, mine)
        while is_mine:
            async with self._database.read() as connection:
                batch = await webhooks.read_batch(connection, mine, end)
            why = await self._herald.tell(mine, batch.events, self._clock.now()) if batch.events else ""
            is_last = bool(why) or batch.reached >= end or self._is_closing
            new = _after(mine, batch, why, self._clock.now() + (timedelta() if is_last else _LEASE))
            is_mine = await self._save(mine, new) and not is_last
            mine = new

    async def _save(self, old: Webhook, new: Webhook) -> bool:
        """Write down how a webhook stands; of one that is paused the operator is told."""
        async with self._database.write() as connection:
            if not await webhooks.save(connection, old, new):
                return False
            if new.next_attempt_at is None:
                text = f"Nothing was taken for five days, and no more is told until a test is: {new.url} ({new.why})"
                await alerts.raise_alert(connection, ALERT, subject_of(new), text, self._clock.now())
        return True


def subject_of(hook: Webhook) -> str:
    """What an alert about a webhook names."""
    return f"webhook {hook.id} of association {hook.association_id}"


def _after(mine: Webhook, batch: Batch, why: str, next_attempt_at: datetime) -> Webhook:
    """How a webhook stands after an attempt: told, or to be tried again after a rest, or paused."""
    if not why:
        return replace(mine, told_event_id=batch.reached, next_attempt_at=next_attempt_at, failures=0, why="")
    rest = rest_after(mine.failures + 1)
    again_at = None if rest is None else next_attempt_at + rest
    return replace(mine, next_attempt_at=again_at, failures=mine.failures + 1, why=why)
