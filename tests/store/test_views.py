"""Saved views, and filters as data."""

from __future__ import annotations

import pytest

from config.vocabulary import Operator
from engine.errors import Conflict, InvalidInput, NotFound
from engine.register import views
from engine.register.views import Condition, Filter, Sort, read_filter, read_sort
from engine.store.database import Database
from tests.register.households import NOW, found

LONDONERS = Filter((Condition("Ort", Operator.CONTAINS, "London"), Condition("notes", Operator.EMPTY)), "any")


async def test_a_view_comes_back_as_it_was_saved(database: Database) -> None:
    async with database.write() as connection:
        home, other = await found(connection, columns=("Ort",)), await found(connection)
        sort = (Sort("Ort"), Sort("last_name", descending=True))
        made = await views.create(
            connection, home.id, " I  London ", NOW, columns=("Ort", "email"), filter=LONDONERS, sort=sort
        )
        assert await views.get(connection, home.id, made.id) == made
        assert await views.listing(connection, home.id) == [made]
        assert (made.name, made.filter, made.sort) == ("I London", LONDONERS, sort)
        with pytest.raises(NotFound):
            await views.get(connection, other.id, made.id)


async def test_a_view_is_changed_and_forgotten(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        made = await views.create(connection, home.id, "Alla", NOW)
        again = await views.update(connection, home.id, made.id, name="Alla", sort=(Sort("email"),))
        assert (again.columns, again.sort) == (("first_name", "last_name", "email", "status"), (Sort("email"),))
        assert await views.get(connection, home.id, made.id) == again
        await views.remove(connection, home.id, made.id)
        assert await views.listing(connection, home.id) == []


async def test_a_view_needs_a_name_of_its_own_and_known_columns(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        await views.create(connection, home.id, "Alla", NOW)
        second = await views.create(connection, home.id, "Några", NOW)
        with pytest.raises(Conflict):
            await views.create(connection, home.id, "Alla", NOW)
        with pytest.raises(Conflict):
            await views.update(connection, home.id, second.id, name="Alla")
        for wrong in ({"columns": ("Hund",)}, {"columns": ()}, {"filter": LONDONERS}, {"sort": (Sort("Hund"),)}):
            with pytest.raises(InvalidInput):
                await views.create(connection, home.id, "Fel", NOW, **wrong)
        with pytest.raises(InvalidInput):
            await views.create(connection, home.id, " ", NOW)


def test_a_filter_is_read_from_its_json() -> None:
    assert read_filter(LONDONERS.to_json()) == LONDONERS
    assert read_filter(LONDONERS.to_json()["conditions"]) == Filter(LONDONERS.conditions)
    assert read_filter(None) == read_filter([]) == read_filter({}) == Filter()
    assert read_sort([{"column": "email"}]) == (Sort("email"),)
    assert read_sort(None) == ()


@pytest.mark.parametrize(
    "value",
    [
        *("email", 7, [7], {"match": "none"}, [{"column": "email"}], {"conditions": {"column": "email"}}),
        [{"column": "email", "operator": "like", "value": "x"}],
        [{"column": "email", "operator": "equals"}],
        [{"column": 7, "operator": "empty"}],
        [{"column": "email", "operator": "empty"}] * 51,
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput):
        read_filter(value)
