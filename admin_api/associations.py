"""Associations by API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from admin_api.endpoint import Call
from admin_api.paging import Page, PageQuery, page_of
from admin_api.shapes import Line, Name, Shape
from engine.register import associations
from engine.register.associations import Association

Columns = Annotated[tuple[Name, ...], Field(max_length=100, description="the association's own card columns, in order")]


class NewAssociation(Shape):
    """An association to be added; without a slug one is made of the name."""

    name: Name
    slug: Line = ""
    columns: Columns = ()


class AssociationChange(Shape):
    """What is to change; what is left out stays."""

    name: Name | None = None
    columns: Columns | None = None
    tracking: bool | None = None


class AssociationView(Shape):
    """One association."""

    id: int
    name: str
    slug: str
    columns: tuple[str, ...]
    tracking: bool
    created_at: datetime


def show(association: Association) -> AssociationView:
    return AssociationView.model_validate(association, from_attributes=True)


async def list_all(call: Call, query: PageQuery) -> Page[AssociationView]:
    """The associations that the key may see."""
    if (own := call.caller.association_id) is not None:
        return Page(items=[show(await associations.get(call.connection, own))], next=None)
    rows = await associations.listing(call.connection, after_id=query.after_id or 0, limit=query.limit + 1)
    return page_of(rows, query, lambda row: row.id, show)


async def create(call: Call, body: NewAssociation) -> AssociationView:
    """Add an association."""
    made = await associations.create(call.connection, body.name, call.now, slug=body.slug, columns=body.columns)
    await call.note("association added", association=made.id)
    return show(made)


async def get(call: Call) -> AssociationView:
    """One association."""
    return show(await associations.get(call.connection, call.association_id))


async def update(call: Call, body: AssociationChange) -> AssociationView:
    """Change an association's name, columns or tracking."""
    changes = {name: value for name, value in body if value is not None}
    await call.note("association changed", fields=", ".join(sorted(changes)))
    return show(await associations.update(call.connection, call.association_id, **changes))


async def remove(call: Call) -> None:
    """Remove an association that holds nothing."""
    await associations.remove(call.connection, call.association_id)
