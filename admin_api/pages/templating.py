"""Templates to pages; the one file that imports Jinja2. Whatever comes from outside is escaped."""

from __future__ import annotations

from datetime import datetime, tzinfo
from pathlib import Path

from babel.dates import format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.responses import HTMLResponse

from admin_api.pages import words
from admin_api.pages.languages import sentences
from admin_api.pages.visit import Show, Visit

_LOCALE = "sv"

environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def moment(instant: datetime | None, zone: tzinfo, pattern: str = "d MMM y HH:mm") -> str:
    """As in `24 nov. 2025 22:04`, where the reader lives."""
    return format_datetime(instant, pattern, tzinfo=zone, locale=_LOCALE) if instant else "–"


@pass_context
def _moment(context: Context, instant: datetime | None) -> str:
    return moment(instant, _visit_of(context).time_zone)


@pass_context
def _precisely(context: Context, instant: datetime | None) -> str:
    """With seconds, for proof."""
    return moment(instant, _visit_of(context).time_zone, "d MMM y HH:mm:ss")


@pass_context
def _say(context: Context, page: str, name: str, **values: str) -> Markup:
    """A sentence in the visitor's language; what is filled in is escaped."""
    return Markup(sentences(_visit_of(context).language)[page][name]).format(**values)  # noqa: S704 - ours, from locale/


def _visit_of(context: Context) -> Visit:
    visit = context["visit"]
    assert isinstance(visit, Visit)
    return visit


def _count(number: int) -> str:
    """As in `12 500`, with a thin gap."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


environment.filters.update(moment=_moment, precisely=_precisely, count=_count)
environment.globals.update(words=words, say=_say)


def render(visit: Visit, show: Show, status: int) -> HTMLResponse:
    """Make the page that a visit is to see."""
    template = environment.get_template(show.template)
    notice = words.NOTICES.get(visit.request.query_params.get("notis", ""), "")
    error = words.refusal(visit.error) if visit.error else ""
    faulty = getattr(visit.error, "field", "")
    return HTMLResponse(template.render(visit=visit, notice=notice, error=error, faulty=faulty, **show.values), status)
