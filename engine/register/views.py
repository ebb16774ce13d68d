"""Saved views of a register: which columns, which cards, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from engine.errors import Conflict, InvalidInput
from engine.register.texts import required
from engine.store import associations
from engine.store import views as store
from engine.store.database import Connection
from engine.store.filters import (
    ANYWHERE,
    BUILT_IN_COLUMNS,
    EVERY_CARD,
    Condition,
    Filter,
    Sort,
    check_columns,
    read_filter,
    read_sort,
)
from engine.store.views import View, get, listing

__all__ = [
    "ANYWHERE",
    "BUILT_IN_COLUMNS",
    "EVERY_CARD",
    "Condition",
    "Filter",
    "Sort",
    "View",
    "create",
    "get",
    "listing",
    "read_filter",
    "read_sort",
    "remove",
    "update",
]

_USUAL_COLUMNS = ("first_name", "last_name", "email", "status")
_LONGEST_NAME = 100


async def create(
    connection: Connection,
    association_id: int,
    name: str,
    now: datetime,
    *,
    columns: Sequence[str] = _USUAL_COLUMNS,
    filter: Filter = EVERY_CARD,
    sort: Sequence[Sort] = (),
) -> View:
    """Save a view. Raises InvalidInput (unknown columns), Conflict (known name) and NotFound (no such association)."""
    new = View(0, association_id, name, tuple(columns), filter, tuple(sort), now)
    return await store.create(connection, await _checked(connection, new))


async def update(
    connection: Connection,
    association_id: int,
    view_id: int,
    *,
    name: str | None = None,
    columns: Sequence[str] | None = None,
    filter: Filter | None = None,
    sort: Sequence[Sort] | None = None,
) -> View:
    """Change what is given. Raises InvalidInput, Conflict (known name) and NotFound."""
    old = await get(connection, association_id, view_id)
    new = replace(
        old,
        name=old.name if name is None else name,
        columns=old.columns if columns is None else tuple(columns),
        filter=old.filter if filter is None else filter,
        sort=old.sort if sort is None else tuple(sort),
    )
    new = await _checked(connection, new)
    await store.save(connection, new)
    return new


async def remove(connection: Connection, association_id: int, view_id: int) -> None:
    """Forget a view; the cards stay. Raises NotFound."""
    await get(connection, association_id, view_id)
    await store.remove(connection, view_id)


async def _checked(connection: Connection, view: View) -> View:
    """The view with a tidy name of its own and known columns only."""
    own = (await associations.get(connection, view.association_id)).columns
    check_columns(own, view.columns, view.filter, view.sort)
    if not view.columns:
        raise InvalidInput("columns", "choose at least one column")
    name = required("name", view.name, _LONGEST_NAME)
    twin = await store.named(connection, view.association_id, name)
    if twin and twin.id != view.id:
        raise Conflict(f"there is already a view called {name!r}; give another name")
    return replace(view, name=name)
