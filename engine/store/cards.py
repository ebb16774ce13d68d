"""The cards of the register: written, found, counted, chosen for a mailing, and erased."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Row,
    Select,
    Text,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)

from config.vocabulary import AddressStatus
from engine.errors import NotFound
from engine.store.batches import Columns, batch
from engine.store.columns import Document, Instant
from engine.store.database import Connection
from engine.store.filters import Filter, Sort, order, where
from engine.store.folding import fold
from engine.store.tables import card, consent_event, correction, letter, message, message_event, report, suppression

Line = list[object]
"""A content as it is written: what `to_line` makes of it."""

_WRITTEN: Columns = {
    "first_name": Text(),
    "last_name": Text(),
    "email": Text(),
    "address_key": Text(),
    "notes": Text(),
    "fields": Document,
    "folded": Document,
}
_LINES_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Content:
    """What a person writes on a card; `address_key` is empty where the address is missing or malformed."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    address_key: str = ""
    notes: str = ""
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Card:
    """One member's card."""

    id: int
    association_id: int
    first_name: str
    last_name: str
    email: str
    address_key: str
    status: AddressStatus
    notes: str
    fields: dict[str, str]
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def content(self) -> Content:
        return Content(self.first_name, self.last_name, self.email, self.address_key, self.notes, self.fields)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the cards that were found, and how many there are in all."""

    cards: list[Card]
    total: int


@dataclass(frozen=True, slots=True)
class Extent:
    """What tells whether cards came or went: how many there are, and the newest one's number."""

    count: int
    newest_id: int


def to_line(content: Content) -> Line:
    """Make ready to be written; with many it pays to do this before the transaction."""
    texts = {
        "first_name": content.first_name,
        "last_name": content.last_name,
        "email": content.email,
        "notes": content.notes,
    }
    folded = {name: fold(text) for name, text in (content.fields | texts).items()}
    return [
        content.first_name,
        content.last_name,
        content.email,
        content.address_key,
        content.notes,
        content.fields,
        folded,
    ]


async def add(connection: Connection, association_id: int, contents: Sequence[Content], now: datetime) -> list[int]:
    """Add cards, all of them unconfirmed; returns their numbers in the order given."""
    return await add_lines(connection, association_id, [to_line(content) for content in contents], now)


async def add_lines(connection: Connection, association_id: int, lines: Sequence[Line], now: datetime) -> list[int]:
    """Add cards as `to_line` made them, thousands in a statement; returns their numbers in the order given."""
    given = batch(connection, {"place": BigInteger(), **_WRITTEN})
    same: dict[str, ColumnElement[Any]] = {
        "association_id": literal(association_id),
        "status": literal(AddressStatus.UNCONFIRMED.value),
        "version": literal(1),
        "created_at": literal(now, Instant()),
        "updated_at": literal(now, Instant()),
    }
    rows = select(*(given.c[name] for name in _WRITTEN), *same.values()).order_by(given.c.place)
    statement = insert(card).from_select([*_WRITTEN, *same], rows).returning(card.c.id)
    numbers: list[int] = []
    for start in range(0, len(lines), _LINES_AT_ONCE):
        some = [[place, *line] for place, line in enumerate(lines[start : start + _LINES_AT_ONCE])]
        numbers += sorted((await connection.execute(statement, {"rows": some})).scalars())
    return numbers


async def get(connection: Connection, association_id: int, card_id: int) -> Card:
    """Raises NotFound, for another association's card as well."""
    row = (await connection.execute(_of(association_id).where(card.c.id == card_id))).one_or_none()
    if row is None:
        raise NotFound("there is no such card")
    return _to_card(row)


async def extent(connection: Connection, association_id: int) -> Extent:
    """How far a register reaches."""
    query = select(func.count(), func.coalesce(func.max(card.c.id), 0)).where(card.c.association_id == association_id)
    return Extent(*(await connection.execute(query)).one())


async def every(connection: Connection, association_id: int) -> list[Card]:
    """The whole register, oldest card first."""
    return [_to_card(row) for row in await connection.execute(_of(association_id).order_by(card.c.id))]


async def find(
    connection: Connection,
    association_id: int,
    chosen: Filter,
    sort: Sequence[Sort],
    *,
    statuses: Collection[AddressStatus] = (),
    limit: int,
    offset: int,
) -> Page:
    """One page of the cards of a view, of some statuses only where they are named."""
    every_one = choose(association_id, chosen, statuses)
    total = every_one.with_only_columns(func.count(), maintain_column_froms=True)
    rows = await connection.execute(every_one.order_by(*order(sort), card.c.id).limit(limit).offset(offset))
    return Page([_to_card(row) for row in rows], (await connection.execute(total)).scalar_one())


def choose(association_id: int, chosen: Filter, statuses: Collection[AddressStatus] = ()) -> Select[Any]:
    """The rows of a view's cards, of some statuses only where they are named; to be queued or counted."""
    query = _of(association_id).where(where(chosen))
    return query.where(card.c.status.in_(statuses)) if statuses else query


async def count_by_status(connection: Connection, association_id: int, chosen: Filter) -> dict[AddressStatus, int]:
    """How many cards of a view stand where; statuses of no card are left out."""
    query = (
        select(card.c.status, func.count())
        .where(card.c.association_id == association_id, where(chosen))
        .group_by(card.c.status)
    )
    return {AddressStatus(status): count for status, count in await connection.execute(query)}


async def save(connection: Connection, old: Card, content: Content, now: datetime) -> bool:
    """Write new content on a card; another address makes it unconfirmed. False where somebody was faster."""
    return await save_lines(connection, [to_change(old, content)], now) == 1


def to_change(old: Card, content: Content) -> Line:
    """Make new content for a card ready to be written."""
    return [old.id, old.version, is_other_address(old.content, content), *to_line(content)]


async def save_lines(connection: Connection, changes: Sequence[Line], now: datetime) -> int:
    """Write what `to_change` made; returns how many cards were still as they had been read."""
    new = batch(connection, {"id": BigInteger(), "version": BigInteger(), "is_other": Boolean(), **_WRITTEN})
    status = case((new.c.is_other, AddressStatus.UNCONFIRMED.value), else_=card.c.status)
    values = {name: new.c[name] for name in _WRITTEN} | {"status": status, "version": new.c.version + 1}
    as_read = (card.c.id == new.c.id) & (card.c.version == new.c.version)
    statement = update(card).where(as_read).values(values | {"updated_at": now})
    saved = 0
    for start in range(0, len(changes), _LINES_AT_ONCE):
        rows = changes[start : start + _LINES_AT_ONCE]
        saved += (await connection.execute(statement, {"rows": rows})).rowcount
    return saved


def is_other_address(old: Content, new: Content) -> bool:
    """True where two contents name different addresses, however they are typed."""
    return (old.address_key or fold(old.email)) != (new.address_key or fold(new.email))


async def erase(connection: Connection, card_id: int) -> None:
    """Take a card away with its consents, its messages and their events; a suppression of its address stays."""
    messages = select(message.c.id).where(message.c.card_id == card_id).scalar_subquery()
    await connection.execute(update(report).where(report.c.message_id.in_(messages)).values(message_id=None))
    await connection.execute(update(letter).where(letter.c.message_id.in_(messages)).values(message_id=None))
    await connection.execute(update(suppression).where(suppression.c.message_id.in_(messages)).values(message_id=None))
    await connection.execute(delete(correction).where(correction.c.message_id.in_(messages)))
    await connection.execute(delete(message_event).where(message_event.c.message_id.in_(messages)))
    await connection.execute(delete(message).where(message.c.card_id == card_id))
    await connection.execute(delete(consent_event).where(consent_event.c.card_id == card_id))
    await connection.execute(delete(card).where(card.c.id == card_id))


def _of(association_id: int) -> Select[Any]:
    return select(card).where(card.c.association_id == association_id)


def _to_card(row: Row[Any]) -> Card:
    return Card(
        id=row.id,
        association_id=row.association_id,
        first_name=row.first_name,
        last_name=row.last_name,
        email=row.email,
        address_key=row.address_key,
        status=AddressStatus(row.status),
        notes=row.notes,
        fields=row.fields,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
