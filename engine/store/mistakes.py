"""Addresses and cards that were struck by mistake: freed as far as nothing else speaks against them, and back again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, exists, select, update

from config.vocabulary import AddressStatus, ConsentKind
from engine.store.card_status import turn_where
from engine.store.columns import Instant
from engine.store.database import Connection
from engine.store.suppressions import reaches
from engine.store.tables import card, consent_event, message, suppression

_STATUS_OF_CONSENT = {ConsentKind.CONFIRMED: AddressStatus.CONFIRMED, ConsentKind.REQUESTED: AddressStatus.REQUESTED}


@dataclass(frozen=True, slots=True)
class TurnedCard:
    """A card that was turned; `version` is the one it has since."""

    card_id: int
    address_key: str
    old: str
    new: str
    version: int


async def lift_unfounded(
    connection: Connection, reasons: Mapping[str, Collection[str]], now: datetime
) -> list[tuple[int, str]]:
    """Lift suppressions of some addresses for some reasons, which no message vouches for any more.

    Returns number and address of each. What a person has written by hand stays.
    """
    vouched = exists().where(
        message.c.address_key == suppression.c.address_key,
        message.c.status == suppression.c.status,
        message.c.reason == suppression.c.reason,
    )
    standing = suppression.c.lifted_at.is_(None) & suppression.c.message_id.is_not(None) & ~vouched
    query = select(suppression.c.id, suppression.c.address_key, suppression.c.reason)
    rows = await connection.execute(query.where(suppression.c.address_key.in_(reasons), standing))
    lifted = [(row.id, row.address_key) for row in rows if row.reason in reasons[row.address_key]]
    ids = [number for number, _ in lifted]
    await connection.execute(update(suppression).where(suppression.c.id.in_(ids)).values(lifted_at=now))
    return lifted


async def suppressed_at(connection: Connection, address_keys: Collection[str], at: datetime) -> list[tuple[int, str]]:
    """Number and address of the suppressions that were written at an instant."""
    query = select(suppression.c.id, suppression.c.address_key)
    made = suppression.c.address_key.in_(address_keys) & (suppression.c.created_at == at)
    return [(row.id, row.address_key) for row in await connection.execute(query.where(made))]


async def free_cards(connection: Connection, address_keys: Collection[str], now: datetime) -> None:
    """Give cards that nothing speaks against any more the status that their consent proves."""
    problems = [status for status in AddressStatus if status.is_problem]
    free = card.c.address_key.in_(address_keys) & card.c.status.in_(problems)
    free &= ~reaches(card.c.address_key, card.c.association_id)
    ids = list((await connection.execute(select(card.c.id).where(free))).scalars())
    await turn_where(connection, card.c.id.in_(ids), AddressStatus.UNCONFIRMED, now)
    for status, proven in (await _proven(connection, ids)).items():
        await turn_where(connection, card.c.id.in_(proven), status, now)


async def cards_of(connection: Connection, address_keys: Collection[str]) -> dict[int, tuple[str, str, int]]:
    """Address, status and version of every card with some addresses."""
    query = select(card.c.id, card.c.address_key, card.c.status, card.c.version)
    rows = await connection.execute(query.where(card.c.address_key.in_(address_keys)))
    return {row.id: (row.address_key, row.status, row.version) for row in rows}


async def put_back(
    connection: Connection,
    *,
    lifted: Sequence[int],
    made: Sequence[int],
    cards: Sequence[TurnedCard],
    at: datetime,
    now: datetime,
) -> None:
    """Undo what was done at an instant, as far as it stands untouched."""
    again = suppression.c.id.in_(lifted) & (suppression.c.lifted_at == at)
    await connection.execute(update(suppression).where(again).values(lifted_at=None))
    unmade = suppression.c.id.in_(made) & suppression.c.lifted_at.is_(None)
    await connection.execute(delete(suppression).where(unmade))
    if cards:
        rows = [{"n": one.card_id, "was": one.old, "is": one.new, "v": one.version, "now": now} for one in cards]
        await connection.execute(_turn_back, rows)


_turn_back = (
    update(card)
    .where(card.c.id == bindparam("n"), card.c.status == bindparam("is"), card.c.version == bindparam("v"))
    .values(status=bindparam("was"), version=card.c.version + 1, updated_at=bindparam("now", type_=Instant()))
)


async def _proven(connection: Connection, card_ids: Sequence[int]) -> dict[AddressStatus, list[int]]:
    """The cards whose last entry in the ledger, for the address they have, says more than nothing."""
    same = (consent_event.c.card_id == card.c.id) & (consent_event.c.address_key == card.c.address_key)
    query = select(card.c.id, consent_event.c.kind).join(consent_event, same).where(card.c.id.in_(card_ids))
    last = {row.id: row.kind for row in await connection.execute(query.order_by(consent_event.c.id))}
    proven: dict[AddressStatus, list[int]] = defaultdict(list)
    for card_id, kind in last.items():
        if status := _STATUS_OF_CONSENT.get(ConsentKind(kind)):
            proven[status].append(card_id)
    return proven
