"""Receiving sites by API: whether mail flows to them, and why not."""

from __future__ import annotations

from datetime import datetime

from admin_api.endpoint import Call
from admin_api.paging import Page
from admin_api.shapes import Shape
from engine.store import operations, sites
from engine.store.operations import SiteRow


class SiteView(Shape):
    """One site and its circuit breaker: closed (mail flows), half_open (one probe), open (none)."""

    name: str
    state: str
    why: str
    fault: str
    failures: int
    opened_at: datetime | None
    next_probe_at: datetime | None
    updated_at: datetime


def show(row: SiteRow) -> SiteView:
    return SiteView.model_validate(row, from_attributes=True)


async def list_all(call: Call) -> Page[SiteView]:
    """Every site, those with an open breaker first."""
    return Page(items=[show(row) for row in await operations.sites(call.connection)], next=None)


async def resume(call: Call) -> None:
    """Let mail flow to a site again; what was held for it is due at once."""
    name = call.request.path_params["name"]
    await sites.resume(call.connection, name, call.now)
    await call.note("site resumed", site=name)
