"""Guessing a password is slow, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine.store import login_tries
from engine.store.database import Database

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def test_the_eleventh_try_within_a_quarter_of_an_hour_is_refused(database: Database) -> None:
    async with database.write() as connection:
        allowed = [await login_tries.book(connection, "siv@example.org", NOW) for _ in range(11)]
        assert allowed == [True] * 10 + [False]
        assert await login_tries.book(connection, "olle@example.org", NOW)


async def test_after_a_quarter_of_an_hour_one_may_try_again(database: Database) -> None:
    async with database.write() as connection:
        for _ in range(10):
            await login_tries.book(connection, "siv@example.org", NOW)
        assert await login_tries.book(connection, "siv@example.org", NOW + timedelta(minutes=15))


async def test_logging_in_forgets_the_tries(database: Database) -> None:
    async with database.write() as connection:
        for _ in range(10):
            await login_tries.book(connection, "siv@example.org", NOW)
        await login_tries.forget(connection, "siv@example.org")
        assert await login_tries.book(connection, "siv@example.org", NOW)
