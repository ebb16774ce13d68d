"""The offices ("kontor") that an association's mailings are sent from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from engine.errors import NotFound
from engine.store.database import Connection
from engine.store.tables import mailing, office


@dataclass(frozen=True, slots=True)
class Office:
    """One office of an association."""

    id: int
    association_id: int
    name: str
    created_at: datetime


async def create(connection: Connection, association_id: int, name: str, now: datetime) -> Office:
    values = {"association_id": association_id, "name": name, "created_at": now}
    return _to_office((await connection.execute(insert(office).values(values).returning(office))).one())


async def get(connection: Connection, association_id: int, office_id: int) -> Office:
    """Raises NotFound, for another association's office as well."""
    query = select(office).where(office.c.id == office_id, office.c.association_id == association_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound("there is no such office")
    return _to_office(row)


async def listing(connection: Connection, association_id: int) -> list[Office]:
    """The offices of an association, oldest first."""
    query = select(office).where(office.c.association_id == association_id).order_by(office.c.id)
    return [_to_office(row) for row in await connection.execute(query)]


async def rename(connection: Connection, office_id: int, name: str) -> None:
    await connection.execute(update(office).where(office.c.id == office_id).values(name=name))


async def has_sent(connection: Connection, office_id: int) -> bool:
    """True where a mailing names the office."""
    query = select(mailing.c.id).where(mailing.c.office_id == office_id).limit(1)
    return (await connection.execute(query)).first() is not None


async def remove(connection: Connection, office_id: int) -> None:
    await connection.execute(delete(office).where(office.c.id == office_id))


def _to_office(row: Row[Any]) -> Office:
    return Office(row.id, row.association_id, row.name, row.created_at)
