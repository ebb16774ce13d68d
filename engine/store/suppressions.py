"""The book of addresses that nothing more is sent to, everywhere or by one association."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, Exists, Text, exists, func, insert, literal, or_, select, update

from config.vocabulary import AddressStatus, ConsentKind, MessageStatus, Reason
from engine.errors import NotFound
from engine.store import consent
from engine.store.batches import Columns, batch
from engine.store.card_status import turn_where
from engine.store.columns import Instant
from engine.store.database import Connection
from engine.store.tables import card, suppression
from engine.store.words import storable

_WRITTEN: Columns = {
    "address_key": Text(),
    "association_id": BigInteger(),
    "status": Text(),
    "reason": Text(),
    "evidence": Text(),
    "message_id": BigInteger(),
}


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why an address gets nothing more; `association_id` None: from no association at all."""

    address_key: str
    association_id: int | None
    status: MessageStatus
    reason: Reason
    evidence: str
    message_id: int | None = None


def reaches(address_key: ColumnElement[str], association_id: ColumnElement[int]) -> Exists:
    """True for an address that is suppressed everywhere or for that association; an index lookup a row."""
    return exists().where(
        suppression.c.address_key == address_key,
        suppression.c.lifted_at.is_(None),
        or_(suppression.c.association_id.is_(None), suppression.c.association_id == association_id),
    )


async def suppress(connection: Connection, suppressions: Sequence[Suppression], now: datetime) -> None:
    """Write suppressions; what the book already says, with the same reach and status, is not written twice."""
    if not suppressions:
        return
    new = batch(connection, _WRITTEN)
    known = exists().where(
        suppression.c.address_key == new.c.address_key,
        suppression.c.association_id.is_not_distinct_from(new.c.association_id),
        suppression.c.status == new.c.status,
        suppression.c.lifted_at.is_(None),
    )
    rows = select(*new.c, literal(now, Instant())).where(~known)
    statement = insert(suppression).from_select([*new.c.keys(), "created_at"], rows)
    await connection.execute(statement, {"rows": [_row(one) for one in suppressions]})


async def lift(connection: Connection, suppression_id: int, now: datetime) -> int:
    """Lift one suppression: its cards may be asked for confirmation again; returns how many. Raises NotFound."""
    statement = (
        update(suppression)
        .where(suppression.c.id == suppression_id, suppression.c.lifted_at.is_(None))
        .values(lifted_at=now)
        .returning(suppression.c.address_key, suppression.c.association_id)
    )
    lifted = (await connection.execute(statement)).one_or_none()
    if lifted is None:
        raise NotFound("there is no such suppression, or it is lifted already")
    free = (card.c.address_key == lifted.address_key) & ~reaches(card.c.address_key, card.c.association_id)
    if lifted.association_id is not None:
        free &= card.c.association_id == lifted.association_id
    free &= card.c.status.in_([status for status in AddressStatus if status.is_problem])
    await consent.note_where(connection, free, ConsentKind.RESET, "suppression lifted", now)
    return await turn_where(connection, free, AddressStatus.UNCONFIRMED, now)


async def lifted_at(connection: Connection, address_keys: Collection[str]) -> dict[str, datetime]:
    """When somebody last lifted a suppression of these addresses; those of which none was lifted are left out."""
    if not address_keys:
        return {}
    wanted = batch(connection, {"address_key": Text()})
    query = (
        select(suppression.c.address_key, func.max(suppression.c.lifted_at).label("at"))
        .join(wanted, wanted.c.address_key == suppression.c.address_key)
        .where(suppression.c.lifted_at.is_not(None))
        .group_by(suppression.c.address_key)
    )
    rows = await connection.execute(query, {"rows": [[key] for key in address_keys]})
    return {row.address_key: row.at for row in rows}


async def suppressed(connection: Connection, address_keys: Collection[str], association_id: int) -> set[str]:
    """Those of some addresses that an association may not write to."""
    wanted = batch(connection, {"address_key": Text()})
    query = select(wanted.c.address_key).where(reaches(wanted.c.address_key, literal(association_id)))
    return set((await connection.execute(query, {"rows": [[key] for key in address_keys]})).scalars())


def _row(one: Suppression) -> list[object]:
    return [one.address_key, one.association_id, one.status, one.reason, storable(one.evidence), one.message_id]
