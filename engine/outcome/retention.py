"""Forgets what has been kept long enough, part by part, so that nobody waits for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.settings import Retention
from engine.store.database import Database
from engine.store.retention import EVENTS, RAW, REPORTS, WORDS, Chore


async def forget_old(database: Database, retention: Retention, now: datetime) -> int:
    """Forget everything whose days are over; returns how many rows that was.

    `raw_reports`: the bytes of returned mail. `delivery_log`: returned mail altogether, and the receivers' words in
    the events. `events`: the events themselves. A suppression keeps its evidence as long as it stands.
    """
    days = {RAW: retention.raw_reports, REPORTS: retention.delivery_log, WORDS: retention.delivery_log}
    days |= dict.fromkeys(EVENTS, retention.events)
    return sum([await _forget(database, chore, now - timedelta(days=kept)) for chore, kept in days.items()])


async def _forget(database: Database, chore: Chore, before: datetime) -> int:
    count = 0
    while True:
        async with database.read() as connection:
            ids = await chore.find(connection, before)
        if not ids:
            return count
        async with database.write() as connection:
            await chore.drop(connection, ids)
        count += len(ids)
