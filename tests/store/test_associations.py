"""Associations and offices in the register."""

from __future__ import annotations

import pytest

from config.vocabulary import BodyFormat
from engine.errors import Conflict, InvalidInput, NotFound
from engine.mailing import drafts
from engine.register import associations, offices
from engine.store import audit
from engine.store.database import Database
from tests.register.households import NOW, found


async def test_an_association_gets_a_slug_of_its_own(database: Database) -> None:
    async with database.write() as connection:
        first = await associations.create(connection, "  Björneborgs  Båtklubb ry ", NOW, columns=["Ort", "Båt"])
        second = await associations.create(connection, "Björneborgs båtklubb, ry", NOW)
        nameless = await associations.create(connection, "東京", NOW)
    assert (first.name, first.slug, first.columns) == (
        "Björneborgs Båtklubb ry",
        "bjorneborgs-batklubb-ry",
        ("Ort", "Båt"),
    )
    assert (second.slug, nameless.slug) == ("bjorneborgs-batklubb-ry-2", "association")
    async with database.read() as connection:
        assert await associations.get(connection, first.id) == first
        assert await associations.by_slug(connection, "association") == nameless
        assert await associations.listing(connection, after_id=first.id) == [second, nameless]


async def test_a_slug_is_taken_once(database: Database) -> None:
    async with database.write() as connection:
        await associations.create(connection, "Ett", NOW, slug="klubben")
        with pytest.raises(Conflict):
            await associations.create(connection, "Två", NOW, slug="klubben")
        for slug in ("Klubben", "a b", "-a", "å", "x" * 41):
            with pytest.raises(InvalidInput):
                await associations.create(connection, "Tre", NOW, slug=slug)


@pytest.mark.parametrize("columns", [["email"], ["status"], ['a"b'], [""], ["Ort", "ort"], ["x" * 61], ["a\\b"]])
async def test_a_column_cannot_have_any_name(database: Database, columns: list[str]) -> None:
    async with database.write() as connection:
        with pytest.raises(InvalidInput):
            await associations.create(connection, "Klubben", NOW, columns=columns)


async def test_an_association_is_changed_by_what_is_given(database: Database) -> None:
    async with database.write() as connection:
        old = await associations.create(connection, "Klubben", NOW, columns=["Ort"])
        await associations.update(connection, old.id, name="Nya klubben")
        new = await associations.update(connection, old.id, tracking=True)
        assert await associations.get(connection, old.id) == new
    assert (new.name, new.slug, new.columns, new.tracking) == ("Nya klubben", "klubben", ("Ort",), True)


async def test_only_an_empty_association_can_be_removed(database: Database) -> None:
    async with database.write() as connection:
        empty = await associations.create(connection, "Tomma", NOW)
        await audit.note(connection, empty.id, actor="user 1", action="founded", detail={}, now=NOW)
        home = await found(connection)
        await associations.remove(connection, empty.id)
        with pytest.raises(NotFound):
            await associations.get(connection, empty.id)
        with pytest.raises(Conflict):
            await associations.remove(connection, home.id)


async def test_an_office_belongs_to_one_association(database: Database) -> None:
    async with database.write() as connection:
        home, other = await found(connection), await found(connection)
        renamed = await offices.rename(connection, home.id, home.office_id, " Norra  kontoret ")
        assert renamed.name == "Norra kontoret"
        assert await offices.listing(connection, home.id) == [renamed]
        with pytest.raises(NotFound):
            await offices.get(connection, other.id, home.office_id)
        with pytest.raises(NotFound):
            await offices.create(connection, 999, "Kansliet", NOW)


async def test_an_office_that_has_sent_stays(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        await drafts.create(
            connection,
            home.id,
            home.office_id,
            home.user_id,
            subject="Hej",
            body="Hej",
            format=BodyFormat.PLAIN,
            now=NOW,
        )
        with pytest.raises(Conflict):
            await offices.remove(connection, home.id, home.office_id)
        spare = await offices.create(connection, home.id, "Södra", NOW)
        await offices.remove(connection, home.id, spare.id)
        assert [office.id for office in await offices.listing(connection, home.id)] == [home.office_id]
