"""Returned mail by API."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime

from admin_api.endpoint import Call
from admin_api.paging import Page, PageQuery, page_of
from admin_api.shapes import Line, Shape
from engine.store import operations
from engine.store.operations import ReportRow


class ReportQuery(PageQuery):
    """Which returned mail."""

    state: Line = ""


class ReportView(Shape):
    """One returned mail and what was found in it."""

    id: int
    received_at: datetime
    envelope_from: str
    recipients: tuple[str, ...]
    peer: str
    state: str
    kind: str
    findings: object
    message_id: int | None
    settled_at: datetime | None


class ReportWithMail(ReportView):
    """One returned mail with its bytes in base64; null once their retention is over."""

    raw: str | None


def show(row: ReportRow) -> ReportView:
    return ReportView.model_validate(row, from_attributes=True)


async def list_all(call: Call, query: ReportQuery) -> Page[ReportView]:
    """Returned mail, newest first; `state=unmatched` is what no message was found for."""
    rows = await operations.reports(call.connection, state=query.state, before_id=query.after_id, limit=query.limit + 1)
    return page_of(rows, query, lambda row: row.id, show)


async def get(call: Call) -> ReportWithMail:
    """One returned mail, whole."""
    row, raw = await operations.one_report(call.connection, call.id("report_id"))
    return ReportWithMail(**dict(show(row)), raw=None if raw is None else b64encode(raw).decode())
