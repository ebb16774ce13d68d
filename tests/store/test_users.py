"""People who log in, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from config.vocabulary import Role
from engine.errors import Conflict, NotFound
from engine.store import sessions, users
from engine.store.database import Database
from tests.store.association import make_association, make_mailing

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def test_a_person_without_association_is_an_operator(database: Database) -> None:
    async with database.write() as connection:
        made = await users.create(connection, None, name="Olle", email="Olle@Example.org", password_hash="x", now=NOW)
        assert made.role is Role.OPERATOR
        assert await users.by_email(connection, "OLLE@example.ORG") == made
        assert await users.listing(connection, None) == [made]


async def test_an_address_belongs_to_one_person(database: Database) -> None:
    with pytest.raises(Conflict):
        async with database.write() as connection:
            for name in ("Olle", "Pelle"):
                await users.create(connection, None, name=name, email="o@example.org", password_hash=None, now=NOW)


async def test_a_new_password_ends_every_session(database: Database) -> None:
    async with database.write() as connection:
        made = await users.create(connection, None, name="Olle", email="o@example.org", password_hash="x", now=NOW)
        token = await sessions.start(connection, made.id, NOW)
        assert await sessions.find(connection, token, NOW)
        await users.set_password(connection, made.id, "y")
        assert await sessions.find(connection, token, NOW) is None


async def test_who_has_sent_stays_as_a_name_when_removed(database: Database) -> None:
    async with database.write() as connection:
        club = await make_association(connection, [])
        await make_mailing(connection, club)
        await users.remove(connection, club.user_id)
        assert (await users.get(connection, club.user_id)).password_hash is None


async def test_who_has_sent_nothing_is_gone_when_removed(database: Database) -> None:
    async with database.write() as connection:
        club = await make_association(connection, [])
        await users.remove(connection, club.user_id)
        with pytest.raises(NotFound):
            await users.get(connection, club.user_id)


async def test_a_person_never_prints_the_password_hash(database: Database) -> None:
    async with database.write() as connection:
        made = await users.create(connection, None, name="O", email="o@example.org", password_hash="hemligt", now=NOW)
    assert "hemligt" not in repr(made)
