"""The saved views of a register: columns, filter and order under a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from engine.errors import NotFound
from engine.store.database import Connection
from engine.store.filters import Filter, Sort, read_filter, read_sort
from engine.store.tables import view


@dataclass(frozen=True, slots=True)
class View:
    """One saved view of an association's register."""

    id: int
    association_id: int
    name: str
    columns: tuple[str, ...]
    filter: Filter
    sort: tuple[Sort, ...]
    created_at: datetime


async def create(connection: Connection, new: View) -> View:
    """Write a view down; its number is given here."""
    values = _values(new) | {"association_id": new.association_id, "created_at": new.created_at}
    return _to_view((await connection.execute(insert(view).values(values).returning(view))).one())


async def get(connection: Connection, association_id: int, view_id: int) -> View:
    """Raises NotFound, for another association's view as well."""
    query = select(view).where(view.c.id == view_id, view.c.association_id == association_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound("there is no such view")
    return _to_view(row)


async def named(connection: Connection, association_id: int, name: str) -> View | None:
    query = select(view).where(view.c.association_id == association_id, view.c.name == name)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _to_view(row)


async def listing(connection: Connection, association_id: int) -> list[View]:
    """The views of an association, oldest first."""
    query = select(view).where(view.c.association_id == association_id).order_by(view.c.id)
    return [_to_view(row) for row in await connection.execute(query)]


async def save(connection: Connection, changed: View) -> None:
    await connection.execute(update(view).where(view.c.id == changed.id).values(_values(changed)))


async def remove(connection: Connection, view_id: int) -> None:
    await connection.execute(delete(view).where(view.c.id == view_id))


def _values(content: View) -> dict[str, object]:
    return {
        "name": content.name,
        "columns": list(content.columns),
        "filter": content.filter.to_json(),
        "sort": [sort.to_json() for sort in content.sort],
    }


def _to_view(row: Row[Any]) -> View:
    chosen, sort = read_filter(row.filter), read_sort(row.sort)
    return View(row.id, row.association_id, row.name, tuple(row.columns), chosen, sort, row.created_at)
