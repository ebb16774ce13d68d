"""Members' cards: written by people, who are told at once where an address cannot be right."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from config.vocabulary import AddressStatus
from engine.errors import Conflict, InvalidInput
from engine.register.addresses import BadAddress, normalise
from engine.register.texts import one_line, paragraphs
from engine.store import associations, consent
from engine.store import cards as store
from engine.store.cards import Card, Content, Page, count_by_status, get
from engine.store.database import Connection
from engine.store.filters import EVERY_CARD, Filter, Sort, check_columns

__all__ = ["LONGEST", "LONGEST_OWN", "Card", "Page", "count_by_status", "create", "find", "get", "remove", "update"]

LONGEST = {"first_name": 100, "last_name": 100, "email": 320, "notes": 10_000}
"""How many characters the built-in columns take; an association's own take LONGEST_OWN."""

LONGEST_OWN = 2_000


async def create(connection: Connection, association_id: int, values: Mapping[str, str], now: datetime) -> Card:
    """Add a card; `values` is column → text, the association's own columns among them.

    Raises InvalidInput (unknown column, bad address, too long) and NotFound (no such association).
    """
    content = await _write(connection, association_id, Content(), values)
    card_id = (await store.add(connection, association_id, [content], now))[0]
    return await get(connection, association_id, card_id)


async def find(
    connection: Connection,
    association_id: int,
    filter: Filter = EVERY_CARD,
    sort: Sequence[Sort] = (),
    *,
    statuses: Collection[AddressStatus] = (),
    limit: int = 100,
    offset: int = 0,
) -> Page:
    """One page of the cards of a view, of some statuses only where they are named.

    Raises InvalidInput for a column that the register does not have.
    """
    own = (await associations.get(connection, association_id)).columns
    check_columns(own, (), filter, sort)
    return await store.find(connection, association_id, filter, sort, statuses=statuses, limit=limit, offset=offset)


async def update(
    connection: Connection,
    association_id: int,
    card_id: int,
    values: Mapping[str, str],
    now: datetime,
    *,
    version: int | None = None,
) -> Card:
    """Change the columns that are named; another address makes the card unconfirmed, which the ledger notes.

    Raises InvalidInput, NotFound, and Conflict where the card is no longer the given version.
    """
    old = await get(connection, association_id, card_id)
    content = await _write(connection, association_id, old.content, values)
    if store.is_other_address(old.content, content):
        await consent.note_reset(connection, [card_id], "the address on the card was changed", now)
    if version not in (None, old.version) or not await store.save(connection, old, content, now):
        raise Conflict("somebody else changed the card meanwhile; read it again")
    return await get(connection, association_id, card_id)


async def remove(connection: Connection, association_id: int, card_id: int) -> None:
    """Erase a card and everything that was sent to it. Raises NotFound."""
    await get(connection, association_id, card_id)
    await store.erase(connection, card_id)


async def _write(connection: Connection, association_id: int, old: Content, values: Mapping[str, str]) -> Content:
    own = (await associations.get(connection, association_id)).columns
    for column in values:
        if column not in LONGEST and column not in own:
            raise InvalidInput(column, f"there is no column {column!r} to write in")
    tidy = {column: _tidy(column, text) for column, text in values.items()}
    email = tidy.get("email", old.email)
    return Content(
        first_name=tidy.get("first_name", old.first_name),
        last_name=tidy.get("last_name", old.last_name),
        email=email,
        address_key=old.address_key if email == old.email else _key_of(email),
        notes=tidy.get("notes", old.notes),
        fields=old.fields | {column: tidy[column] for column in own if column in tidy},
    )


def _tidy(column: str, text: str) -> str:
    longest = LONGEST.get(column, LONGEST_OWN)
    tidy = paragraphs(text) if column == "notes" else one_line(text)
    if len(tidy) > longest:
        raise InvalidInput(column, f"give at most {longest} characters")
    return tidy


def _key_of(email: str) -> str:
    if not email:
        return ""
    address = normalise(email)
    if isinstance(address, BadAddress):
        raise InvalidInput("email", f"{email!r} cannot be an address: {address}")
    return address.key
