"""Who is logged in, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from engine.store import sessions, users
from engine.store.database import Connection, Database
from engine.store.tables import session

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def _person(connection: Connection) -> int:
    made = await users.create(connection, None, name="Olle", email="o@example.org", password_hash=None, now=NOW)
    return made.id


async def test_a_session_lasts_until_it_is_ended(database: Database) -> None:
    async with database.write() as connection:
        person = await _person(connection)
        token = await sessions.start(connection, person, NOW)
        found = await sessions.find(connection, token, NOW)
        assert found and found.user_id == person
        await sessions.end(connection, token)
        assert await sessions.find(connection, token, NOW) is None


async def test_a_session_is_over_after_twelve_hours_and_swept_by_the_next(database: Database) -> None:
    async with database.write() as connection:
        person = await _person(connection)
        token = await sessions.start(connection, person, NOW)
        later = NOW + timedelta(hours=12)
        assert await sessions.find(connection, token, later) is None
        await sessions.start(connection, person, later)
        assert (await connection.execute(select(func.count()).select_from(session))).scalar_one() == 1


async def test_two_sessions_share_neither_token_nor_form_secret(database: Database) -> None:
    async with database.write() as connection:
        person = await _person(connection)
        tokens = [await sessions.start(connection, person, NOW) for _ in range(2)]
        found = [await sessions.find(connection, token, NOW) for token in tokens]
        assert len({one.csrf for one in found if one}) == 2
