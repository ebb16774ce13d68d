"""What news of an address makes of a card: as the lifecycle allows, while the card still has that address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, Text, select, update

from config.vocabulary import AddressStatus
from engine.lifecycle import may_turn
from engine.store.batches import batch
from engine.store.database import Connection
from engine.store.tables import card


@dataclass(frozen=True, slots=True)
class Turn:
    """One card to be turned, named with the address that the news is about."""

    card_id: int
    address_key: str
    new: AddressStatus


async def turn(connection: Connection, turns: Sequence[Turn], now: datetime) -> set[int]:
    """Turn cards; returns those that turned. A card that got another address meanwhile is left alone."""
    by_status: dict[AddressStatus, list[list[object]]] = defaultdict(list)
    for one in sorted(turns, key=lambda one: one.card_id):
        by_status[one.new].append([one.card_id, one.address_key])
    turned: set[int] = set()
    for new, rows in by_status.items():
        turned |= await _turn(connection, rows, new, now)
    return turned


async def _turn(connection: Connection, rows: list[list[object]], new: AddressStatus, now: datetime) -> set[int]:
    known = batch(connection, {"id": BigInteger(), "address_key": Text()})
    same = (card.c.id == known.c.id) & (card.c.address_key == known.c.address_key)
    statement = update(card).where(same, may_turn_to(new)).values(_values(new, now)).returning(card.c.id)
    return set((await connection.execute(statement, {"rows": rows})).scalars())


async def turn_where(connection: Connection, which: ColumnElement[bool], new: AddressStatus, now: datetime) -> int:
    """Turn every card of a condition; returns how many. Locked in order, so that two who do this never deadlock."""
    locked = select(card.c.id).where(which, may_turn_to(new)).order_by(card.c.id).with_for_update()
    statement = update(card).where(card.c.id.in_(locked)).values(_values(new, now))
    return (await connection.execute(statement)).rowcount


def may_turn_to(new: AddressStatus) -> ColumnElement[bool]:
    """True for a card that the lifecycle lets turn to a status."""
    return card.c.status.in_([old for old in AddressStatus if may_turn(old, new)])


def _values(new: AddressStatus, now: datetime) -> dict[object, object]:
    return {card.c.status: new.value, card.c.version: card.c.version + 1, card.c.updated_at: now}
