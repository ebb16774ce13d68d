"""Import of a register by API: the file is the body, the answer says what became of every row."""

from __future__ import annotations

from admin_api.endpoint import Call
from admin_api.shapes import Shape
from config.vocabulary import FindingKind, ImportOutcome
from engine.register.imports import ImportReport, Plan, import_register


class FindingView(Shape):
    """One thing that a person should look at in a row."""

    kind: FindingKind
    field: str
    message: str
    suggestion: str | None


class RowView(Shape):
    """What became of one row of the file; the head is row 1."""

    row_number: int
    outcome: ImportOutcome
    card_id: int | None
    findings: list[FindingView]


class ImportView(Shape):
    """What became of the whole file."""

    rows: list[RowView]
    counts: dict[str, int]
    new_columns: list[str]


def show(report: ImportReport) -> ImportView:
    """Made without checking what was just made: a hundred thousand rows are checked for a second."""
    rows = [
        RowView.model_construct(
            row_number=row.row_number,
            outcome=row.outcome,
            card_id=row.card_id,
            findings=[FindingView.model_validate(finding, from_attributes=True) for finding in row.findings],
        )
        for row in report.rows
    ]
    return ImportView.model_construct(rows=rows, counts=report.counts, new_columns=list(report.new_columns))


async def create(call: Call, plan: Plan) -> ImportView:
    """Import a CSV or XLSX file into the register: all rows or none, and none is dropped silently."""
    report = await import_register(call.connection, plan, call.now)
    await call.note("register imported", rows=len(report.rows))
    return show(report)
