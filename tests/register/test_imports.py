"""Import of a register: what becomes of every row."""

from __future__ import annotations

import asyncio

import pytest

from config.vocabulary import AddressStatus, ConsentKind, FindingKind, ImportOutcome
from engine.errors import Conflict, InvalidInput
from engine.register import associations, cards
from engine.register.cards import Card
from engine.register.imports import ImportReport, import_register, make_plan, plan_import, read_known, read_register
from engine.store import consent
from engine.store.database import Connection, Database
from tests.register.households import NOW, Household, add_cards, found
from tests.store.association import make_association

HEAD = "Förnamn;Efternamn;E-post;Anteckningar;Ort"


async def _import(connection: Connection, home: Household, *rows: str, head: str = HEAD) -> ImportReport:
    data = "\n".join([head, *rows]).encode()
    plan = make_plan(await read_known(connection, home.id), read_register(data, "register.csv"))
    return await import_register(connection, plan, NOW)


async def _cards(connection: Connection, home: Household) -> list[Card]:
    return (await cards.find(connection, home.id)).cards


def _outcomes(report: ImportReport) -> list[str]:
    return [row.outcome.value for row in report.rows]


def _kinds(report: ImportReport) -> list[list[str]]:
    return [[finding.kind.value for finding in row.findings] for row in report.rows]


async def test_a_register_becomes_cards(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection, columns=("Båt",))
        report = await _import(connection, home, "Ida;Berg;Ida@Example.org;ny;Åbo", "Bo;Ek;bo@example.org;;")
        ida, bo = await _cards(connection, home)
        columns = (await associations.get(connection, home.id)).columns
    assert _outcomes(report) == ["added", "added"]
    assert [(row.row_number, row.card_id) for row in report.rows] == [(2, ida.id), (3, bo.id)]
    assert (report.counts, report.new_columns, columns) == ({"added": 2}, ("Ort",), ("Båt", "Ort"))
    assert (ida.name, ida.email, ida.address_key) == ("Ida Berg", "Ida@Example.org", "ida@example.org")
    assert (ida.notes, ida.fields, ida.status) == ("ny", {"Ort": "Åbo"}, AddressStatus.UNCONFIRMED)


async def test_the_same_file_again_changes_nothing(database: Database) -> None:
    rows = ("Ida;Berg;ida@example.org;;Åbo", "Bo;Ek;;;", "Eva;Ask;eva@@example;;")
    async with database.write() as connection:
        home = await found(connection)
        await _import(connection, home, *rows)
        before = await _cards(connection, home)
        again = await _import(connection, home, *rows)
        assert await _cards(connection, home) == before
    assert _outcomes(again) == ["unchanged"] * 3


async def test_a_known_card_is_updated_and_an_empty_cell_erases_nothing(database: Database) -> None:
    async with database.write() as connection:
        home = await make_association(connection, ["ida@example.org"])
        house = Household(home.id, home.office_id, home.user_id)
        report = await _import(connection, house, "IDA;BERG 0;IDA@example.org;ny;Åbo")
        (card,) = await _cards(connection, house)
        assert (card.first_name, card.notes, card.fields) == ("IDA", "ny", {"Ort": "Åbo"})
        assert (card.email, card.status, card.version) == ("ida@example.org", AddressStatus.CONFIRMED, 2)
        await _import(connection, house, "IDA;BERG 0;ida@example.org;;")
        (card,) = await _cards(connection, house)
    assert (card.notes, card.fields) == ("ny", {"Ort": "Åbo"})
    assert _outcomes(report) == ["updated"]


async def test_a_bad_address_keeps_its_row_and_is_reported(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        report = await _import(connection, home, "Ida;Berg;ida@gmail,com;;", "Bo;Ek;bo@gmial.com;;", "Eva;Ask;;;")
        ida, bo, eva = await _cards(connection, home)
    assert (ida.email, ida.address_key) == ("ida@gmail,com", "")
    assert (bo.email, bo.address_key, eva.email) == ("bo@gmial.com", "bo@gmial.com", "")
    assert _kinds(report) == [["bad_address"], ["suspect"], ["no_address"]]
    assert [row.findings[0].suggestion for row in report.rows] == ["ida@gmail.com", "bo@gmail.com", None]
    assert report.counts == {"added": 3, "bad_address": 1, "suspect": 1, "no_address": 1}


async def test_a_repeated_person_becomes_one_card(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        report = await _import(connection, home, "Ida;Berg;ida@example.org;;", "ida;berg;IDA@example.org;två;Åbo")
        (card,) = await _cards(connection, home)
    assert _outcomes(report) == ["added", "twin"]
    assert _kinds(report) == [[], ["repeated"]]
    assert report.rows[0].card_id == report.rows[1].card_id == card.id
    assert (card.notes, card.fields) == ("två", {"Ort": "Åbo"})


async def test_two_people_may_share_an_address(database: Database) -> None:
    rows = ("Ida;Berg;berg@example.org;;", "Bo;Berg;berg@example.org;;")
    async with database.write() as connection:
        home = await found(connection)
        report = await _import(connection, home, *rows)
        again = await _import(connection, home, *rows)
        assert [card.first_name for card in await _cards(connection, home)] == ["Ida", "Bo"]
    assert (_outcomes(report), _kinds(report)) == (["added", "added"], [[], ["shared_address"]])
    assert _outcomes(again) == ["unchanged", "unchanged"]


async def test_a_new_name_for_a_known_address_renames_the_card(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        await add_cards(connection, home, {"first_name": "Ida", "last_name": "Berg", "email": "ida@example.org"})
        report = await _import(connection, home, "Ida;Idunsson;ida@example.org;;")
        (card,) = await _cards(connection, home)
    assert (card.name, _outcomes(report), _kinds(report)) == ("Ida Idunsson", ["updated"], [["renamed"]])
    assert "Ida Berg" in report.rows[0].findings[0].message


async def test_a_new_member_at_a_known_address_is_added_where_the_old_one_is_in_the_file(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        await add_cards(connection, home, {"first_name": "Ida", "last_name": "Berg", "email": "berg@example.org"})
        report = await _import(connection, home, "Bo;Berg;berg@example.org;;", "Ida;Berg;berg@example.org;;")
        names = [card.first_name for card in await _cards(connection, home)]
    assert (_outcomes(report), names) == (["added", "unchanged"], ["Ida", "Bo"])


async def test_an_address_is_filled_in_on_the_card_that_lacked_one(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        await _import(connection, home, "Ida;Berg;;;", "Bo;Ek;bo@exa mple;;")
        report = await _import(connection, home, "Ida;Berg;ida@example.org;;", "Bo;Ek;bo@example.org;;")
        keys = [card.address_key for card in await _cards(connection, home)]
    assert (_outcomes(report), keys) == (["updated", "updated"], ["ida@example.org", "bo@example.org"])


async def test_a_row_without_an_address_finds_its_card_by_name(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        await _import(connection, home, "Ida;Berg;ida@example.org;;")
        report = await _import(connection, home, "Ida;Berg;;flyttat;")
        (card,) = await _cards(connection, home)
    assert (_outcomes(report), card.email, card.notes) == (["updated"], "ida@example.org", "flyttat")


async def test_namesakes_are_two_people(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        report = await _import(connection, home, "Ida;Berg;ida@example.org;;", "Ida;Berg;berg@example.org;;")
        assert len(await _cards(connection, home)) == 2
    assert _outcomes(report) == ["added", "added"]


async def test_namesakes_without_an_address_are_two_people_every_time(database: Database) -> None:
    rows = ("Ida;Berg;;;Åbo", "Ida;Berg;;;Ekenäs", ";;;bara en anteckning;", ";;;en till;")
    async with database.write() as connection:
        home = await found(connection)
        report = await _import(connection, home, *rows)
        again = await _import(connection, home, *rows[:2])
        places = [card.fields.get("Ort") for card in await _cards(connection, home)]
    assert _outcomes(report) == ["added"] * 4
    assert _outcomes(again) == ["unchanged"] * 2
    assert places == ["Åbo", "Ekenäs", None, None]


async def test_whole_names_and_homeless_cells_find_a_place(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        report = await _import(connection, home, "Berg, Ida;ida@example.org;46;extra;", head="Namn;E-post;;")
        (card,) = await _cards(connection, home)
    assert (card.first_name, card.last_name, card.notes) == ("Ida", "Berg", "46\nextra")
    assert _kinds(report) == [["extra_cells"]]


async def test_a_formula_stays_text_and_a_long_text_is_cut_aloud(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        report = await _import(connection, home, f"=HYPERLINK(1);{'x' * 101};ida@example.org;;")
        (card,) = await _cards(connection, home)
    assert (card.first_name, card.last_name) == ("=HYPERLINK(1)", "x" * 100)
    assert _kinds(report) == [[FindingKind.SHORTENED]]


async def test_too_many_columns_are_refused_whole(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        with pytest.raises(InvalidInput):
            await _import(connection, home, "x", head=";".join(["E-post", *(f"K{n}" for n in range(70))]))
        assert await _cards(connection, home) == []


async def test_five_thousand_rows_are_each_reported(database: Database) -> None:
    rows = [f"Ida {n};Berg;ida{n}@example{n % 90}.org;;Åbo" for n in range(5000)]
    async with database.write() as connection:
        home = await found(connection)
        report = await _import(connection, home, *rows)
    assert report.counts == {ImportOutcome.ADDED.value: 5000}
    assert len({row.card_id for row in report.rows}) == 5000


async def test_an_import_is_worked_out_while_somebody_else_writes(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
    sheet = read_register(b"E-post\nida@example.org\n", "register.csv")
    async with database.write() as connection:
        await add_cards(connection, await found(connection), {"email": "bo@example.org"})
        plan = await asyncio.wait_for(plan_import(database, home.id, sheet), 5)
    async with database.write() as connection:
        report = await import_register(connection, plan, NOW)
    assert _outcomes(report) == ["added"]


@pytest.mark.parametrize("deed", ["added", "changed", "removed"])
async def test_a_register_that_changed_meanwhile_is_left_as_it_is(database: Database, deed: str) -> None:
    async with database.write() as connection:
        home = await found(connection)
        ida, bo = await add_cards(connection, home, {"email": "ida@example.org"}, {"email": "bo@example.org"})
        sheet = read_register(b"E-post;Ort\nida@example.org;\xc5bo\neva@example.org;Vasa\n", "register.csv")
        plan = make_plan(await read_known(connection, home.id), sheet)
        match deed:
            case "added":
                await add_cards(connection, home, {"email": "eva@example.org"})
            case "changed":
                await cards.update(connection, home.id, ida.id, {"first_name": "Ida"}, NOW)
            case "removed":
                await cards.remove(connection, home.id, bo.id)
    with pytest.raises(Conflict):
        async with database.write() as connection:
            await import_register(connection, plan, NOW)
    async with database.read() as connection:
        assert "Ort" not in (await associations.get(connection, home.id)).columns
        assert all(not card.fields for card in await _cards(connection, home))


async def test_thousands_of_cards_are_changed_and_those_with_another_address_asked_anew(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        await _import(connection, home, *(f"Ida {n};Berg;ida{n}@exa mple;;" for n in range(5100)))
        report = await _import(connection, home, *(f"Ida {n};Berg;ida{n}@example.org;;Åbo" for n in range(5100)))
        page = await cards.find(connection, home.id, limit=5100)
        assert [one.kind for one in await consent.ledger(connection, page.cards[-1].id)] == [ConsentKind.RESET]
    assert report.counts == {ImportOutcome.UPDATED.value: 5100}
    assert all((card.fields, card.version) == ({"Ort": "Åbo"}, 2) for card in page.cards)
