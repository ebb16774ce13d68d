"""Medlemslista: the register as a table, filtered, ordered, and saved as views."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from admin_api.pages import words
from admin_api.pages.choice import Choice, choice_of_view, read_choice
from admin_api.pages.csv_file import csv_file
from admin_api.pages.form import read_number
from admin_api.pages.visit import Go, Outcome, Show, Visit
from config.vocabulary import AddressStatus, Operator
from engine.errors import Conflict, InvalidInput
from engine.register import cards, views
from engine.register.cards import Card
from engine.register.views import ANYWHERE, BUILT_IN_COLUMNS

PAGE_SIZE = 100
_EVERYBODY = 10_000_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """Which page of the list is shown."""

    number: int
    total: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * PAGE_SIZE

    @property
    def last(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


async def current_choice(visit: Visit) -> Choice:
    """What is looked at: a saved view, or the filter, order and columns in the address or in a refused form."""
    if visit.error:
        return read_choice(visit.form.query)
    query = visit.request.query_params
    view_id = read_number(query.get("view", ""))
    if view_id is not None:
        return choice_of_view(await views.get(visit.connection, visit.association.id, view_id))
    return read_choice(query)


async def show_list(visit: Visit) -> Outcome:
    """The members of the choice, a hundred a page."""
    choice = await current_choice(visit)
    number = visit.request.query_params.get("page", "1")
    counts = await cards.count_by_status(visit.connection, visit.association.id, choice.filter)
    sheet = _sheet(number, sum(counts.values()))
    found = await _find(visit, choice, sheet.offset, PAGE_SIZE)
    values: dict[str, object] = {
        "cards": found.cards,
        "sheet": sheet,
        "counts": {status: counts[status] for status in AddressStatus if counts.get(status)},
        "confirmed": counts.get(AddressStatus.CONFIRMED, 0),
        "views": await views.listing(visit.connection, visit.association.id),
        "cell": cell,
    }
    return Show("members.html", values | _panel(visit, choice))


def _panel(visit: Visit, choice: Choice) -> dict[str, object]:
    """What can be searched, filtered and shown; the columns that are shown come first, in their order."""
    columns = dict.fromkeys((*choice.columns, *BUILT_IN_COLUMNS, *visit.association.columns))
    return {
        "choice": choice,
        "columns": tuple(columns),
        "anywhere": ANYWHERE,
        "operators": tuple(Operator),
        "statuses": tuple(AddressStatus),
    }


async def export(visit: Visit) -> Outcome:
    """The members of the choice as a file that Excel opens, without formulas in it."""
    choice = await current_choice(visit)
    columns = (*BUILT_IN_COLUMNS, *visit.association.columns)
    found = await _find(visit, choice, 0, _EVERYBODY)
    rows = ([cell(card, name) for name in columns] for card in found.cards)
    head = [words.column(name) for name in columns]
    return await asyncio.to_thread(csv_file, visit.association.slug, head, rows)


async def save_view(visit: Visit) -> Outcome:
    """Save what is looked at under a name."""
    choice = read_choice(visit.form.query)
    try:
        view = await views.create(
            visit.connection,
            visit.association.id,
            visit.form.text("name"),
            visit.now,
            columns=choice.columns,
            filter=choice.filter,
            sort=choice.sort,
        )
    except Conflict as error:
        raise InvalidInput("taken_name", str(error)) from None
    return Go(visit.here(f"/medlemslista?view={view.id}"), "vy-sparad")


async def remove_view(visit: Visit) -> Outcome:
    """Forget a view; the cards stay."""
    await views.remove(visit.connection, visit.association.id, visit.id("view_id"))
    return Go(visit.here("/medlemslista"), "vy-borttagen")


def cell(card: Card, column: str) -> str:
    """What stands in a column, as people read it."""
    return card.status.label if column == "status" else _raw(card, column)


def _sheet(number: str, total: int) -> Sheet:
    """The page that is asked for, or the nearest that there is."""
    asked = int(number) if number.isdecimal() and len(number) < 7 else 1
    return Sheet(min(max(1, asked), Sheet(1, total).last), total)


async def _find(visit: Visit, choice: Choice, offset: int, limit: int) -> cards.Page:
    try:
        return await cards.find(
            visit.connection, visit.association.id, choice.filter, choice.sort, limit=limit, offset=offset
        )
    except InvalidInput as error:
        raise InvalidInput("filter", str(error)) from None


def _raw(card: Card, column: str) -> str:
    if column in BUILT_IN_COLUMNS:
        return str(getattr(card, column))
    return card.fields.get(column, "")
