"""Sends only from the database this machine has been sending from: not from a restored backup, nor from a copy.

The database carries a mark and a turn that its senders move on every few seconds; beside the keys, outside the
database, stands which mark and turn this machine saw last. A database with another mark, or an earlier turn, has been
exchanged or set back: mail that left long ago would leave again. Nothing is sent from it until a person says so.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from secrets import token_hex

import structlog

from engine.store import alerts
from engine.store.database import Database
from engine.store.installation import Installation, advance, find_or_begin

NOT_RELEASED = "not_released"
"""The kind of alert for a database that is not the one this machine sent from last."""

STEP_SECONDS = 5.0
_LEAP = 1_000_000
"""A release moves the turn past whatever any machine of the installation has seen."""
_WORDS = (
    "The database is a restored backup or a copy: mail that was sent since it was made would be sent again. "
    "Nothing leaves. Cancel the mailings that have left already, then run: brevduva release"
)

log = structlog.get_logger("custody")


class Custody:
    """This machine's memory of the database it sends from."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._file = folder / "installation"
        self._database = database

    async def step(self) -> bool:
        """Move the turn on; False where the database is not the one this machine sent from last."""
        async with self._database.write() as connection:
            found = await find_or_begin(connection, token_hex(16))
            if found.turn == 0:
                self._remember(found)  # before the commit, so that no other process finds the one without the other
            seen = self._recall()
            if seen is None or seen.mark != found.mark or seen.turn > found.turn:
                return False
            await advance(connection, found.turn + 1)
        self._remember(Installation(found.mark, found.turn + 1))
        return True

    async def release(self, now: datetime) -> None:
        """A person says that mail may leave from this database."""
        async with self._database.write() as connection:
            found = await find_or_begin(connection, token_hex(16))
            seen = self._recall() or found
            turn = max(found.turn, seen.turn) + _LEAP
            await advance(connection, turn)
            await alerts.close_about(connection, NOT_RELEASED, "", now)
        self._remember(Installation(found.mark, turn))

    async def wait(self, stop: asyncio.Event, now: datetime) -> None:
        """Return once mail may leave, or `stop` is set; the operator is told why it may not."""
        while not stop.is_set():
            try:
                if await self.step():
                    return
                log.error("nothing is sent", why=_WORDS)
                async with self._database.write() as connection:
                    await alerts.raise_alert(connection, NOT_RELEASED, "", _WORDS, now)
            except Exception as trouble:  # a database that is away may come back
                log.error("the database cannot be asked", trouble=str(trouble))
            await _rest(stop)

    async def keep(self, stop: asyncio.Event) -> None:
        """Step again and again; `stop` is set should the database be exchanged while it is worked from."""
        while not stop.is_set():
            await _rest(stop)
            try:
                if not await self.step():
                    log.error("the sender stops", why=_WORDS)
                    stop.set()
            except Exception as trouble:  # a database that is away is no reason to die
                log.error("the turn was not moved on", trouble=str(trouble))

    def _recall(self) -> Installation | None:
        with suppress(FileNotFoundError):
            mark, turn = self._file.read_text(encoding="ascii").split()
            return Installation(mark, int(turn))
        return None

    def _remember(self, seen: Installation) -> None:
        fresh = self._file.with_name(f".installation.{os.getpid()}")
        fresh.write_text(f"{seen.mark} {seen.turn}\n", encoding="ascii")
        fresh.replace(self._file)


async def _rest(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), STEP_SECONDS)
