"""Offices by API."""

from __future__ import annotations

from datetime import datetime

from admin_api.endpoint import Call
from admin_api.paging import Page
from admin_api.shapes import Name, Shape
from engine.register import offices
from engine.register.offices import Office


class OfficeName(Shape):
    """What an office is called."""

    name: Name


class OfficeView(Shape):
    """One office of an association."""

    id: int
    association_id: int
    name: str
    created_at: datetime


def show(office: Office) -> OfficeView:
    return OfficeView.model_validate(office, from_attributes=True)


async def list_all(call: Call) -> Page[OfficeView]:
    """The offices of an association."""
    return Page(items=[show(row) for row in await offices.listing(call.connection, call.association_id)], next=None)


async def create(call: Call, body: OfficeName) -> OfficeView:
    """Add an office."""
    made = await offices.create(call.connection, call.association_id, body.name, call.now)
    await call.note("office added", office=made.id)
    return show(made)


async def get(call: Call) -> OfficeView:
    """One office."""
    return show(await offices.get(call.connection, call.association_id, call.id("office_id")))


async def update(call: Call, body: OfficeName) -> OfficeView:
    """Rename an office; mailings already sent keep the name they were sent with."""
    await call.note("office renamed", office=call.id("office_id"))
    await offices.rename(call.connection, call.association_id, call.id("office_id"), body.name)
    return await get(call)


async def remove(call: Call) -> None:
    """Remove an office that no mailing names."""
    await offices.remove(call.connection, call.association_id, call.id("office_id"))
    await call.note("office removed", office=call.id("office_id"))
