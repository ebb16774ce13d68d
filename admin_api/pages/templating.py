"""Templates to pages; the one file that imports Jinja2. Whatever comes from outside is escaped."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from babel.dates import format_datetime, get_timezone
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from admin_api.pages import words
from admin_api.pages.visit import Show, Visit

_LOCALE = "sv"
_ZONE = get_timezone("Europe/Stockholm")

environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def moment(instant: datetime | None) -> str:
    """As in `24 nov. 2025 22:04`, where the reader lives."""
    return format_datetime(instant, "d MMM y HH:mm", tzinfo=_ZONE, locale=_LOCALE) if instant else "–"


def _precisely(instant: datetime | None) -> str:
    """With seconds, for proof."""
    return format_datetime(instant, "d MMM y HH:mm:ss", tzinfo=_ZONE, locale=_LOCALE) if instant else "–"


def _count(number: int) -> str:
    """As in `12 500`, with a thin gap."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


environment.filters.update(moment=moment, precisely=_precisely, count=_count)
environment.globals.update(words=words)


def render(visit: Visit, show: Show, status: int) -> HTMLResponse:
    """Make the page that a visit is to see."""
    template = environment.get_template(show.template)
    notice = words.NOTICES.get(visit.request.query_params.get("notis", ""), "")
    error = words.refusal(visit.error) if visit.error else ""
    faulty = getattr(visit.error, "field", "")
    return HTMLResponse(template.render(visit=visit, notice=notice, error=error, faulty=faulty, **show.values), status)
