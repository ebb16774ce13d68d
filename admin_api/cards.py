"""Member cards by API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import orjson
from pydantic import ConfigDict, Field

from admin_api.endpoint import Call
from admin_api.errors import FieldProblem, Refusal, named_by, to_pointer
from admin_api.shapes import Line, Prose, Shape
from config.vocabulary import AddressStatus
from engine.errors import InvalidInput
from engine.register import cards, views
from engine.register.cards import Card
from engine.register.views import Filter, Sort

OwnFields = Annotated[dict[Line, Prose], Field(max_length=100, description="the association's own columns")]


class CardQuery(Shape):
    """Which cards, in what order; `view` names a saved view, `filter` and `sort` are JSON as in a view."""

    view: Annotated[int | None, Field(ge=1, le=2**63 - 1)] = None
    filter: Prose = ""
    sort: Prose = ""
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0


class CardChange(Shape):
    """What stands on a card; what is left out stays as it is (or empty on a new card)."""

    first_name: Line | None = None
    last_name: Line | None = None
    email: Line | None = None
    notes: Prose | None = None
    fields: OwnFields = Field(default_factory=dict)

    def values(self) -> dict[str, str]:
        """Everything that was given, in one flat mapping."""
        named = {name: value for name, value in self if name != "fields" and value is not None}
        return {**self.fields, **named}


class CardView(Shape):
    """One member's card; `version` is what If-Match wants."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: int
    first_name: str
    last_name: str
    email: str
    status: AddressStatus
    notes: str
    fields: dict[str, str]
    version: int
    created_at: datetime
    updated_at: datetime


class CardList(Shape):
    """Some of the cards, and how many there are in all."""

    items: list[CardView]
    total: int


def show(card: Card) -> CardView:
    return CardView.model_validate({name: getattr(card, name) for name in CardView.model_fields})


async def list_all(call: Call, query: CardQuery) -> CardList:
    """The cards of an association: all, of a saved view, or of a filter."""
    chosen, order = await _choice(call, query)
    found = await cards.find(
        call.connection, call.association_id, chosen, order, limit=query.limit, offset=query.offset
    )
    return CardList(items=[show(card) for card in found.cards], total=found.total)


async def create(call: Call, body: CardChange) -> CardView:
    """Add a card; its address begins as unconfirmed."""
    with _named_in(body):
        return show(await cards.create(call.connection, call.association_id, body.values(), call.now))


async def get(call: Call) -> CardView:
    """One card."""
    return show(await cards.get(call.connection, call.association_id, call.id("card_id")))


async def update(call: Call, body: CardChange) -> CardView:
    """Change a card as it was read (If-Match); a new address has to be confirmed anew."""
    version, card_id = _expected_version(call), call.id("card_id")
    current = await cards.get(call.connection, call.association_id, card_id)
    if version not in (None, current.version):
        raise Refusal(412, f"the card has changed: it is version {current.version} now; read it again and repeat")
    with _named_in(body):
        changed = await cards.update(
            call.connection, call.association_id, card_id, body.values(), call.now, version=current.version
        )
    await call.note("card changed", card=card_id)
    return show(changed)


async def remove(call: Call) -> None:
    """Remove a card and all that was sent to it."""
    await cards.remove(call.connection, call.association_id, call.id("card_id"))
    await call.note("card removed", card=call.id("card_id"))


@contextmanager
def _named_in(body: CardChange) -> Iterator[None]:
    """A fault of an own column stands below `fields`."""
    try:
        yield
    except InvalidInput as error:
        if error.field not in body.fields:
            raise
        where = FieldProblem(pointer=to_pointer(["fields", error.field]), detail=str(error))
        raise Refusal(422, str(error), (where,)) from None


async def _choice(call: Call, query: CardQuery) -> tuple[Filter, tuple[Sort, ...]]:
    if query.view is not None:
        with named_by("view"):
            view = await views.get(call.connection, call.association_id, query.view)
        return view.filter, view.sort
    return views.read_filter(_json(query.filter, "filter")), views.read_sort(_json(query.sort, "sort"))


def _json(text: str, field: str) -> object:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        raise InvalidInput(field, f'give JSON, as in {field}=[{{"column": "last_name", …}}]') from None


def _expected_version(call: Call) -> int | None:
    """The version that `If-Match` names (RFC 9110 13.1.1); None for `*`. Raises Refusal 428 where it is missing."""
    given = call.request.headers.get("If-Match", "").strip()
    if given == "*":
        return None
    version = given.removeprefix("W/").strip('"')
    if not version.isdecimal() or len(version) > 18:
        raise Refusal(428, "say which version you change: If-Match with the ETag that came with the card")
    return int(version)
