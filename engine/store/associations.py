"""The associations of the installation, each with its own card columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from engine.errors import NotFound
from engine.store.database import Connection
from engine.store.tables import (
    api_key,
    association,
    audit_event,
    card,
    mailing,
    office,
    suppression,
    user,
    view,
    webhook,
)

_HOLDERS = (card, mailing, office, user, view, api_key, suppression)


@dataclass(frozen=True, slots=True)
class Association:
    """One association; `columns` are the names of its own card columns, in order."""

    id: int
    name: str
    slug: str
    columns: tuple[str, ...]
    tracking: bool
    created_at: datetime


async def create(connection: Connection, name: str, slug: str, columns: Sequence[str], now: datetime) -> Association:
    values = {"name": name, "slug": slug, "columns": list(columns), "tracking": False, "created_at": now}
    return _to_association((await connection.execute(insert(association).values(values).returning(association))).one())


async def get(connection: Connection, association_id: int) -> Association:
    """Raises NotFound."""
    row = (await connection.execute(select(association).where(association.c.id == association_id))).one_or_none()
    if row is None:
        raise NotFound("there is no such association")
    return _to_association(row)


async def hold(connection: Connection, association_id: int) -> Association:
    """The same, and whoever else wants to hold it waits until the transaction ends. Raises NotFound."""
    row = select(association.c.id).where(association.c.id == association_id).with_for_update(key_share=True)
    await connection.execute(row)
    return await get(connection, association_id)


async def by_slug(connection: Connection, slug: str) -> Association:
    """Raises NotFound."""
    row = (await connection.execute(select(association).where(association.c.slug == slug))).one_or_none()
    if row is None:
        raise NotFound("there is no such association")
    return _to_association(row)


async def is_slug_taken(connection: Connection, slug: str) -> bool:
    query = select(association.c.id).where(association.c.slug == slug)
    return (await connection.execute(query)).first() is not None


async def listing(connection: Connection, *, after_id: int = 0, limit: int = 1000) -> list[Association]:
    """Every association, oldest first."""
    query = select(association).where(association.c.id > after_id).order_by(association.c.id).limit(limit)
    return [_to_association(row) for row in await connection.execute(query)]


async def save(connection: Connection, changed: Association) -> None:
    values = {"name": changed.name, "columns": list(changed.columns), "tracking": changed.tracking}
    await connection.execute(update(association).where(association.c.id == changed.id).values(values))


async def is_empty(connection: Connection, association_id: int) -> bool:
    """True where nothing belongs to the association but its history."""
    queries = [select(table.c.id).where(table.c.association_id == association_id).limit(1) for table in _HOLDERS]
    return not any([(await connection.execute(query)).first() for query in queries])


async def remove(connection: Connection, association_id: int) -> None:
    """Take away an empty association with its webhooks; what was done in it stays on record."""
    await connection.execute(delete(webhook).where(webhook.c.association_id == association_id))
    events = audit_event.c.association_id == association_id
    await connection.execute(update(audit_event).where(events).values(association_id=None))
    await connection.execute(delete(association).where(association.c.id == association_id))


def _to_association(row: Row[Any]) -> Association:
    return Association(row.id, row.name, row.slug, tuple(row.columns), row.tracking, row.created_at)
