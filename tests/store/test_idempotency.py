"""A request with a key is carried out once, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.errors import Conflict
from engine.store import idempotency
from engine.store.database import Database
from engine.store.idempotency import KEPT, STALE, Answer, Finding, Ticket

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FIRST = Ticket("key 1", "abc", "hash", NOW)


async def test_the_answer_is_given_again(database: Database) -> None:
    async with database.write() as connection:
        assert await idempotency.begin(connection, FIRST) is Finding.NEW
        await idempotency.finish(connection, FIRST, Answer(202, {"queued": 3}))
        assert await idempotency.begin(connection, FIRST) == Answer(202, {"queued": 3})


async def test_a_twin_finds_the_first_in_flight(database: Database) -> None:
    async with database.write() as connection:
        await idempotency.begin(connection, FIRST)
        assert await idempotency.begin(connection, replace(FIRST, begun_at=NOW + STALE / 2)) is Finding.IN_FLIGHT


async def test_another_request_may_not_use_the_key(database: Database) -> None:
    async with database.write() as connection:
        await idempotency.begin(connection, FIRST)
        assert await idempotency.begin(connection, replace(FIRST, request_hash="other")) is Finding.OTHER_REQUEST
        assert await idempotency.begin(connection, replace(FIRST, caller="key 2")) is Finding.NEW


async def test_what_a_crash_left_is_taken_over_and_the_stale_one_cannot_finish(database: Database) -> None:
    late = replace(FIRST, begun_at=NOW + STALE)
    async with database.write() as connection:
        await idempotency.begin(connection, FIRST)
        assert await idempotency.begin(connection, late) is Finding.NEW
        with pytest.raises(Conflict):
            await idempotency.finish(connection, FIRST, Answer(202, None))
        await idempotency.finish(connection, late, Answer(202, None))


async def test_a_refused_request_gives_its_key_back(database: Database) -> None:
    async with database.write() as connection:
        await idempotency.begin(connection, FIRST)
        await idempotency.abandon(connection, FIRST)
        assert await idempotency.begin(connection, FIRST) is Finding.NEW


async def test_answers_are_kept_for_two_days(database: Database) -> None:
    async with database.write() as connection:
        await idempotency.begin(connection, FIRST)
        await idempotency.finish(connection, FIRST, Answer(202, None))
        assert await idempotency.begin(connection, replace(FIRST, begun_at=NOW + KEPT)) is Finding.NEW
