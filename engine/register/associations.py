"""Associations: founded, renamed, given columns of their own, and taken away when empty."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from engine.errors import Conflict, InvalidInput
from engine.register.texts import required
from engine.store import associations as store
from engine.store import views
from engine.store.associations import Association, by_slug, get, listing
from engine.store.database import Connection
from engine.store.filters import ANYWHERE, BUILT_IN_COLUMNS, columns_of

__all__ = ["Association", "by_slug", "check_own_columns", "create", "get", "listing", "remove", "update"]

MOST_COLUMNS = 60
_LONGEST_NAME = 100
_LONGEST_COLUMN = 60
_LONGEST_SLUG = 40


async def create(
    connection: Connection, name: str, now: datetime, *, slug: str = "", columns: Sequence[str] = ()
) -> Association:
    """Found an association; its slug (for List-Id and the like) is made of the name where none is given.

    Raises InvalidInput, and Conflict where a given slug is taken.
    """
    tidy, own = required("name", name, _LONGEST_NAME), check_own_columns(columns)
    chosen = _check_slug(slug) if slug else await _free_slug(connection, tidy)
    if slug and await store.is_slug_taken(connection, chosen):
        raise Conflict(f"there is already an association called {chosen!r}; give another slug")
    return await store.create(connection, tidy, chosen, own, now)


async def update(
    connection: Connection,
    association_id: int,
    *,
    name: str | None = None,
    columns: Sequence[str] | None = None,
    tracking: bool | None = None,
) -> Association:
    """Change what is given. Raises InvalidInput, NotFound, and Conflict where a saved view needs a column that goes."""
    old = await get(connection, association_id)
    new = replace(
        old,
        name=old.name if name is None else required("name", name, _LONGEST_NAME),
        columns=old.columns if columns is None else check_own_columns(columns),
        tracking=old.tracking if tracking is None else tracking,
    )
    await _check_views(connection, association_id, set(old.columns) - set(new.columns))
    await store.save(connection, new)
    return new


async def remove(connection: Connection, association_id: int) -> None:
    """Take an association away. Raises NotFound, and Conflict while anything belongs to it."""
    await get(connection, association_id)
    if not await store.is_empty(connection, association_id):
        raise Conflict("the association has cards, offices, users or mailings; remove those first")
    await store.remove(connection, association_id)


def check_own_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """The tidy names of an association's own columns. Raises InvalidInput that names the cure."""
    own = tuple(required("columns", column, _LONGEST_COLUMN) for column in columns)
    if len(own) > MOST_COLUMNS:
        raise InvalidInput("columns", f"give at most {MOST_COLUMNS} columns")
    for column in own:
        if column in (*BUILT_IN_COLUMNS, ANYWHERE) or set(column) & set('"\\'):
            raise InvalidInput("columns", f"{column!r} cannot be a column; give another name, without quotation marks")
    if len({column.casefold() for column in own}) < len(own):
        raise InvalidInput("columns", "two columns have the same name; take one away")
    return own


async def _check_views(connection: Connection, association_id: int, leaving: Collection[str]) -> None:
    """A view without its column would show other members than it says, and mail would go to them."""
    for view in await views.listing(connection, association_id) if leaving else []:
        if needed := [column for column in columns_of(view.columns, view.filter, view.sort) if column in leaving]:
            raise Conflict(f"the view {view.name!r} needs the column {needed[0]!r}; change or remove the view first")


async def _free_slug(connection: Connection, name: str) -> str:
    base = _slug_of(name)
    slug, number = base, 2
    while await store.is_slug_taken(connection, slug):
        slug, number = f"{base}-{number}", number + 1
    return slug


def _slug_of(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_SLUG].rstrip("-") or "association"


def _check_slug(slug: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", slug):
        raise InvalidInput("slug", f"give at most {_LONGEST_SLUG} letters a-z, digits and hyphens")
    return slug
