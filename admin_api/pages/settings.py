"""Inställningar: the association's offices and who may log in."""

from __future__ import annotations

from admin_api.pages.visit import Go, Outcome, Show, Visit
from engine.register import offices
from engine.store import users


async def show(visit: Visit) -> Outcome:
    """The offices and the people."""
    values = {
        "offices": await offices.listing(visit.connection, visit.association.id),
        "people": await users.listing(visit.connection, visit.association.id),
    }
    return Show("settings.html", values)


async def add_office(visit: Visit) -> Outcome:
    """Add an office to send from."""
    office = await offices.create(visit.connection, visit.association.id, visit.form.text("name"), visit.now)
    await visit.note("office added", office=office.id)
    return Go(visit.here("/installningar"), "kontor-tillagt")
