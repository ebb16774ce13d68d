"""An association with a register, an office and a user, for tests of what people do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from engine.register import associations, cards, offices
from engine.register.cards import Card
from engine.store import users
from engine.store.database import Connection

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Household:
    """The numbers of an association, its office and its user."""

    id: int
    office_id: int
    user_id: int


async def found(connection: Connection, *, columns: tuple[str, ...] = ()) -> Household:
    number = next(_numbers)
    made = await associations.create(connection, f"Förening {number}", NOW, columns=columns)
    office = await offices.create(connection, made.id, "Kansliet", NOW)
    user = await users.create(
        connection, made.id, name="Anna Andersson", email=f"anna-{number}@example.org", password_hash=None, now=NOW
    )
    return Household(made.id, office.id, user.id)


async def add_cards(connection: Connection, home: Household, *people: Mapping[str, str]) -> list[Card]:
    return [await cards.create(connection, home.id, values, NOW) for values in people]


async def names_of(connection: Connection, home: Household, *args: object) -> list[str]:
    """First names in the order found."""
    page = await cards.find(connection, home.id, *args)  # type: ignore[arg-type]  # passed on as they are
    return [card.first_name for card in page.cards]
