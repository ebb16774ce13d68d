"""Saved views of a register by API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from admin_api.endpoint import Call
from admin_api.paging import Page
from admin_api.shapes import Line, Name, Shape
from config.vocabulary import Operator
from engine.register import views
from engine.register.views import View


class ConditionShape(Shape):
    """One comparison of a column with a value."""

    column: Name
    operator: Operator
    value: Line = ""


class FilterShape(Shape):
    """Which cards: those for which all, or any, of the conditions hold."""

    match: Literal["all", "any"] = "all"
    conditions: Annotated[tuple[ConditionShape, ...], Field(max_length=50)] = ()

    def to_filter(self) -> views.Filter:
        return views.read_filter(self.model_dump(mode="json"))


class SortShape(Shape):
    """One column to order by."""

    column: Name
    descending: bool = False


class ViewShape(Shape):
    """What a view holds."""

    name: Name
    columns: Annotated[tuple[Name, ...], Field(max_length=100)] = ("first_name", "last_name", "email", "status")
    filter: FilterShape = FilterShape()
    sort: Annotated[tuple[SortShape, ...], Field(max_length=10)] = ()

    def to_sort(self) -> tuple[views.Sort, ...]:
        return views.read_sort([entry.model_dump() for entry in self.sort])


class ViewView(ViewShape):
    """One saved view."""

    id: int
    created_at: datetime


def show(view: View) -> ViewView:
    return ViewView(
        id=view.id,
        name=view.name,
        columns=view.columns,
        filter=FilterShape.model_validate(view.filter.to_json()),
        sort=tuple(SortShape(column=entry.column, descending=entry.descending) for entry in view.sort),
        created_at=view.created_at,
    )


async def list_all(call: Call) -> Page[ViewView]:
    """The saved views of an association."""
    return Page(items=[show(view) for view in await views.listing(call.connection, call.association_id)], next=None)


async def create(call: Call, body: ViewShape) -> ViewView:
    """Save a view."""
    made = await views.create(
        call.connection,
        call.association_id,
        body.name,
        call.now,
        columns=body.columns,
        filter=body.filter.to_filter(),
        sort=body.to_sort(),
    )
    return show(made)


async def get(call: Call) -> ViewView:
    """One saved view."""
    return show(await views.get(call.connection, call.association_id, call.id("view_id")))


async def replace(call: Call, body: ViewShape) -> ViewView:
    """Save a view anew under its number."""
    changed = await views.update(
        call.connection,
        call.association_id,
        call.id("view_id"),
        name=body.name,
        columns=body.columns,
        filter=body.filter.to_filter(),
        sort=body.to_sort(),
    )
    return show(changed)


async def remove(call: Call) -> None:
    """Forget a view; the cards stay."""
    await views.remove(call.connection, call.association_id, call.id("view_id"))
