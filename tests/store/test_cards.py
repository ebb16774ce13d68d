"""Cards: written, found alike on both databases, changed by one person at a time, erased."""

from __future__ import annotations

import pytest

from config.vocabulary import AddressStatus, ConsentKind, MessageStatus, Operator
from engine.errors import Conflict, InvalidInput, NotFound
from engine.register import cards
from engine.register.views import Condition, Filter, Sort
from engine.store import consent
from engine.store.database import Database
from tests.register.households import NOW, add_cards, found, names_of
from tests.store.association import make_association, messages_of, queue_mailing

PEOPLE = [
    {"first_name": "Zoë", "last_name": "Åberg", "email": "zoe@example.org", "Ort": "Ängelholm", "Född": "1990-05-01"},
    {"first_name": "Åke", "last_name": "Öst", "email": "ake@example.se", "Ort": "Åbo", "Född": "1950-01-31"},
    {"first_name": "anna", "last_name": "Ek", "email": "", "Ort": "", "notes": "100% rabatt_", "Född": "1971-12-24"},
    {"first_name": "Öjvind", "last_name": "Älv", "email": "o@example.org", "Ort": "ÅBO", "Född": ""},
]


def _where(column: str, operator: Operator, value: str = "") -> Filter:
    return Filter((Condition(column, operator, value),))


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (Filter(), ["anna", "Zoë", "Åke", "Öjvind"]),
        (_where("Ort", Operator.EQUALS, "åbo"), ["Åke", "Öjvind"]),
        (_where("Ort", Operator.IS_NOT, "åbo"), ["anna", "Zoë"]),
        (_where("Ort", Operator.EMPTY), ["anna"]),
        (_where("Ort", Operator.NOT_EMPTY), ["Zoë", "Åke", "Öjvind"]),
        (_where("first_name", Operator.EQUALS, "ZOE"), ["Zoë"]),
        (_where("last_name", Operator.STARTS_WITH, "å"), ["Zoë"]),
        (_where("last_name", Operator.STARTS_WITH, "a"), []),
        (_where("email", Operator.CONTAINS, "EXAMPLE.ORG"), ["Zoë", "Öjvind"]),
        (_where("notes", Operator.CONTAINS, "0% r"), ["anna"]),
        (_where("notes", Operator.CONTAINS, "_"), ["anna"]),
        (_where("notes", Operator.CONTAINS, "1%b"), []),
        (_where("Född", Operator.BEFORE, "1971-12-24"), ["Åke"]),
        (_where("Född", Operator.AFTER, "1971-12-24"), ["Zoë"]),
        (_where("last_name", Operator.AFTER, "zz"), ["Zoë", "Åke", "Öjvind"]),
        (_where("status", Operator.EQUALS, "unconfirmed"), ["anna", "Zoë", "Åke", "Öjvind"]),
        (_where("status", Operator.EQUALS, "confirmed"), []),
        (
            Filter((Condition("Ort", Operator.EQUALS, "Åbo"), Condition("first_name", Operator.EQUALS, "åke"))),
            ["Åke"],
        ),
        (
            Filter((Condition("Ort", Operator.EMPTY), Condition("first_name", Operator.EQUALS, "åke")), match="any"),
            ["anna", "Åke"],
        ),
    ],
)
async def test_a_filter_finds_the_same_cards_everywhere(database: Database, chosen: Filter, names: list[str]) -> None:
    async with database.write() as connection:
        home, other = await found(connection, columns=("Ort", "Född")), await found(connection)
        await add_cards(connection, home, *PEOPLE)
        await add_cards(connection, other, {"first_name": "Främling", "email": "ake@example.se"})
        assert await names_of(connection, home, chosen, (Sort("first_name"),)) == names
        counts = await cards.count_by_status(connection, home.id, chosen)
        assert sum(counts.values()) == len(names)


async def test_cards_are_sorted_as_swedes_sort_and_paged(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection, columns=("Ort", "Född"))
        await add_cards(connection, home, *PEOPLE)
        falling = (Sort("Ort", descending=True), Sort("last_name"))
        assert await names_of(connection, home, Filter(), falling) == ["Zoë", "Öjvind", "Åke", "anna"]
        page = await cards.find(connection, home.id, sort=(Sort("last_name"),), limit=2, offset=1)
    assert ([card.last_name for card in page.cards], page.total) == (["Åberg", "Älv"], 4)


async def test_an_unknown_column_is_named(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection, columns=("Ort",))
        with pytest.raises(InvalidInput, match="Hund"):
            await cards.find(connection, home.id, _where("Hund", Operator.EMPTY))
        with pytest.raises(InvalidInput, match="Hund"):
            await cards.create(connection, home.id, {"Hund": "Fido"}, NOW)
        with pytest.raises(InvalidInput, match="status"):
            await cards.create(connection, home.id, {"status": "confirmed"}, NOW)


async def test_a_card_is_written_tidily(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection, columns=("Ort",))
        values = {
            "first_name": " Ida\r\nBcc: x ",
            "email": " Ida@Åland.FI ",
            "notes": "rad\r\ntvå\0",
            "Ort": "a\tb\u202e",
        }
        card = await cards.create(connection, home.id, values, NOW)
    assert (card.first_name, card.email, card.address_key) == ("Ida Bcc: x", "Ida@Åland.FI", "ida@xn--land-poa.fi")
    assert (card.notes, card.fields, card.version) == ("rad\ntvå", {"Ort": "a b"}, 1)
    assert (card.status, card.created_at, card.name) == (AddressStatus.UNCONFIRMED, NOW, "Ida Bcc: x")


@pytest.mark.parametrize("values", [{"email": "ida@"}, {"first_name": "x" * 101}, {"notes": "x" * 10_001}])
async def test_a_card_that_cannot_be_is_refused(database: Database, values: dict[str, str]) -> None:
    async with database.write() as connection:
        home = await found(connection)
        with pytest.raises(InvalidInput):
            await cards.create(connection, home.id, values, NOW)


async def test_another_address_makes_the_card_unconfirmed(database: Database) -> None:
    async with database.write() as connection:
        home = await make_association(connection, ["ida@example.org"])
        number = home.cards[0]
        kept = await cards.update(connection, home.id, number, {"first_name": "Eva", "email": "IDA@example.org"}, NOW)
        assert (kept.status, kept.email) == (AddressStatus.CONFIRMED, "IDA@example.org")
        changed = await cards.update(connection, home.id, number, {"email": "ida@example.net"}, NOW)
        assert (changed.status, changed.first_name) == (AddressStatus.UNCONFIRMED, "Eva")
        (entry,) = await consent.ledger(connection, number)
    assert (entry.kind, entry.address_key) == (ConsentKind.RESET, "ida@example.org")


async def test_the_slower_of_two_writers_is_told(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        (card,) = await add_cards(connection, home, {"first_name": "Ida"})
        first = await cards.update(connection, home.id, card.id, {"notes": "ett"}, NOW, version=card.version)
        with pytest.raises(Conflict):
            await cards.update(connection, home.id, card.id, {"notes": "två"}, NOW, version=card.version)
        assert (await cards.get(connection, home.id, card.id)).notes == "ett"
        assert first.version == card.version + 1


async def test_anothers_card_does_not_exist(database: Database) -> None:
    async with database.write() as connection:
        home, other = await found(connection), await found(connection)
        (card,) = await add_cards(connection, home, {"first_name": "Ida"})
        with pytest.raises(NotFound):
            await cards.get(connection, other.id, card.id)
        with pytest.raises(NotFound):
            await cards.remove(connection, other.id, card.id)


async def test_an_erased_card_takes_its_messages_along(database: Database) -> None:
    async with database.write() as connection:
        home = await make_association(connection, ["ida@example.org", "bo@example.org"])
        mailing_id = await queue_mailing(connection, home)
        await cards.remove(connection, home.id, home.cards[0])
        (left,) = await messages_of(connection, mailing_id)
        assert (left.card_id, left.status) == (home.cards[1], MessageStatus.QUEUED)
        with pytest.raises(NotFound):
            await cards.get(connection, home.id, home.cards[0])
