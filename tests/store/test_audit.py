"""Who did what, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select

from engine.store import audit
from engine.store.database import Database
from engine.store.tables import audit_event

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def test_a_deed_is_written_down_with_who_and_when(database: Database) -> None:
    async with database.write() as connection:
        await audit.note(connection, None, actor="key 7", action="site resumed", detail={"site": "google.com"}, now=NOW)
        row = (await connection.execute(select(audit_event))).one()
    assert (row.actor, row.action, row.detail, row.at) == ("key 7", "site resumed", {"site": "google.com"}, NOW)
