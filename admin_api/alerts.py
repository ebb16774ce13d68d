"""Alerts by API: what a person should look at."""

from __future__ import annotations

from datetime import datetime

from admin_api.endpoint import Call
from admin_api.paging import Page, PageQuery, page_of
from admin_api.shapes import Shape
from engine.store import alerts as store
from engine.store import operations
from engine.store.operations import AlertRow


class AlertQuery(PageQuery):
    """Which alerts."""

    closed: bool = False


class AlertView(Shape):
    """One alert."""

    id: int
    at: datetime
    kind: str
    subject: str
    text: str
    closed_at: datetime | None


def show(row: AlertRow) -> AlertView:
    return AlertView.model_validate(row, from_attributes=True)


async def list_all(call: Call, query: AlertQuery) -> Page[AlertView]:
    """The open alerts, or with `closed=true` the closed ones too; newest first."""
    rows = await operations.alerts(
        call.connection, only_open=not query.closed, before_id=query.after_id, limit=query.limit + 1
    )
    return page_of(rows, query, lambda row: row.id, show)


async def close(call: Call) -> None:
    """Put an alert away."""
    await store.close(call.connection, call.id("alert_id"), call.now)
    await call.note("alert closed", alert=call.id("alert_id"))
