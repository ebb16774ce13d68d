"""Drift: what whoever keeps the installation looks at, and the few things to do there."""

from __future__ import annotations

from starlette.responses import PlainTextResponse

from admin_api.pages.visit import Go, Outcome, Show, Visit
from engine.errors import NotFound
from engine.store import alerts, history, operations, sites

_REPORTS_A_PAGE = 100


async def show(visit: Visit) -> Outcome:
    """Alerts, sites that mail does not flow to, processes, and how it all stands."""
    values = {
        "alerts": await operations.alerts(visit.connection),
        "sites": await operations.sites(visit.connection),
        "nodes": await operations.nodes(visit.connection),
        "counts": await history.count_messages(visit.connection),
        "reports": await operations.count_reports(visit.connection),
    }
    return Show("operations.html", values)


async def resume_site(visit: Visit) -> Outcome:
    """Let mail flow to a site again."""
    name = visit.request.path_params["name"]
    await sites.resume(visit.connection, name, visit.now)
    await visit.note("site resumed", site=name)
    return Go("/drift", "oppnad")


async def close_alert(visit: Visit) -> Outcome:
    """Put an alert away."""
    await alerts.close(visit.connection, visit.id("alert_id"), visit.now)
    await visit.note("alert closed", alert=visit.id("alert_id"))
    return Go("/drift", "larm-stangt")


async def show_reports(visit: Visit) -> Outcome:
    """Returned mail that no message was found for, or that could not be read."""
    state = visit.request.query_params.get("state", "unmatched")
    rows = await operations.reports(visit.connection, state=state, limit=_REPORTS_A_PAGE)
    return Show(
        "reports.html", {"rows": rows, "state": state, "counts": await operations.count_reports(visit.connection)}
    )


async def show_report(visit: Visit) -> Outcome:
    """One returned mail as it came, as plain text whatever is in it."""
    _, raw = await operations.one_report(visit.connection, visit.id("report_id"))
    if raw is None:
        raise NotFound("its retention is over")
    return PlainTextResponse(raw.decode("utf-8", "replace"))
