"""Offices: opened, renamed, and closed when no mailing names them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from engine.errors import Conflict
from engine.register.texts import required
from engine.store import associations
from engine.store import offices as store
from engine.store.database import Connection
from engine.store.offices import Office, get, listing

__all__ = ["Office", "create", "get", "listing", "remove", "rename"]

_LONGEST_NAME = 100


async def create(connection: Connection, association_id: int, name: str, now: datetime) -> Office:
    """Open an office. Raises InvalidInput, and NotFound where there is no such association."""
    await associations.get(connection, association_id)
    return await store.create(connection, association_id, required("name", name, _LONGEST_NAME), now)


async def rename(connection: Connection, association_id: int, office_id: int, name: str) -> Office:
    """Raises InvalidInput and NotFound."""
    new = replace(await get(connection, association_id, office_id), name=required("name", name, _LONGEST_NAME))
    await store.rename(connection, office_id, new.name)
    return new


async def remove(connection: Connection, association_id: int, office_id: int) -> None:
    """Close an office. Raises NotFound, and Conflict where a mailing was sent from it."""
    await get(connection, association_id, office_id)
    if await store.has_sent(connection, office_id):
        raise Conflict("mailings name the office; it has to stay for their sake")
    await store.remove(connection, office_id)
