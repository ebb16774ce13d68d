"""A page for what could not be shown."""

from __future__ import annotations

from starlette.responses import HTMLResponse

from admin_api.errors import Refusal
from admin_api.pages import words
from admin_api.pages.templating import environment


def show_failure(refusal: Refusal) -> HTMLResponse:
    """Say it in Swedish; the refusal's own words are for machines and stay out of the page."""
    title, sentence = words.of_status(refusal.status)
    return HTMLResponse(environment.get_template("failed.html").render(title=title, sentence=sentence), refusal.status)
