"""Import of a register from a file, with what became of every row."""

from __future__ import annotations

from admin_api.pages.visit import Outcome, Show, Visit
from config.vocabulary import FindingKind, ImportOutcome
from engine.errors import InvalidInput
from engine.register.imports import import_register

_MOST_ROWS_SHOWN = 500


async def show(_: Visit) -> Outcome:
    """The form."""
    return Show("import.html", {"report": None})


async def take(visit: Visit) -> Outcome:
    """Import the file and show the report; rows to look at come first."""
    assert visit.plan is not None
    try:
        report = await import_register(visit.connection, visit.plan, visit.now)
    except InvalidInput as error:
        raise InvalidInput("file", str(error)) from None
    await visit.note("register imported", rows=len(report.rows))
    noted = [row for row in report.rows if row.findings]
    values = {
        "report": report,
        "noted": noted[:_MOST_ROWS_SHOWN],
        "not_shown": max(0, len(noted) - _MOST_ROWS_SHOWN),
        "outcomes": [(one, report.counts[one]) for one in ImportOutcome if report.counts.get(one)],
        "kinds": [(one, report.counts[one]) for one in FindingKind if report.counts.get(one)],
    }
    return Show("import.html", values)
