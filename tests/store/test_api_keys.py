"""Keys to the API, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from engine.errors import NotFound
from engine.store import api_keys
from engine.store.database import Database
from engine.store.tables import api_key

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def test_a_token_finds_its_key_until_it_is_revoked(database: Database) -> None:
    async with database.write() as connection:
        made, token = await api_keys.create(connection, None, "drift", NOW)
        assert await api_keys.by_token(connection, token) == made
        await api_keys.revoke(connection, made.id, NOW)
        await api_keys.revoke(connection, made.id, NOW)
        assert await api_keys.by_token(connection, token) is None


async def test_the_token_itself_is_nowhere_in_the_database(database: Database) -> None:
    async with database.write() as connection:
        _, token = await api_keys.create(connection, None, "drift", NOW)
        row = (await connection.execute(select(api_key))).one()
        assert token not in str(row)
        assert len(token) > 40


async def test_an_unknown_key_cannot_be_revoked(database: Database) -> None:
    async with database.write() as connection:
        with pytest.raises(NotFound):
            await api_keys.revoke(connection, 7, NOW)
