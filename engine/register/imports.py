"""Import a register: every row becomes, changes or finds a card, and the report says which, row by row."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from config.vocabulary import ImportOutcome
from engine.errors import Conflict
from engine.register.associations import update as update_association
from engine.register.matching import Match, Matcher, Target
from engine.register.rows import Finding, read_rows
from engine.register.sheet import Sheet
from engine.register.sheet import read_sheet as read_register
from engine.store import associations, cards, consent
from engine.store.database import Connection

__all__ = ["Finding", "ImportReport", "RowReport", "Sheet", "import_register", "read_register"]


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became of one row of the file, and what a person should look at."""

    row_number: int
    outcome: ImportOutcome
    card_id: int
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of every row; `counts` counts outcomes and kinds of findings, `new_columns` were added."""

    rows: tuple[RowReport, ...]
    counts: dict[str, int]
    new_columns: tuple[str, ...]


async def import_register(connection: Connection, association_id: int, sheet: Sheet, now: datetime) -> ImportReport:
    """Write the rows of a sheet on cards, old and new; nothing is dropped silently.

    Raises InvalidInput (a head without use, too many columns), NotFound, and Conflict where somebody writes meanwhile.
    """
    association = await associations.get(connection, association_id)
    columns, rows = await asyncio.to_thread(read_rows, sheet, association.columns)
    new_columns = tuple(column for column in columns if column not in association.columns)
    if new_columns:
        await update_association(connection, association_id, columns=(*association.columns, *new_columns))
    matcher = Matcher(await cards.every(connection, association_id), rows)
    matches = [matcher.match(row) for row in rows]
    numbers = await _write(connection, association_id, matches, now)
    reports = tuple(_report(match, numbers) for match in matches)
    return ImportReport(reports, _count(reports), new_columns)


async def _write(connection: Connection, association_id: int, matches: list[Match], now: datetime) -> dict[Target, int]:
    """Write every target once; returns the numbers of their cards."""
    targets = list(dict.fromkeys(match.target for match in matches))
    fresh = [target for target in targets if target.card is None]
    added = await cards.add(connection, association_id, [target.content for target in fresh], now)
    known = {target: target.card.id for target in targets if target.card}
    for target in known:
        if _is_changed(target):
            await _save(connection, target, now)
    return known | dict(zip(fresh, added, strict=True))


async def _save(connection: Connection, target: Target, now: datetime) -> None:
    assert target.card is not None
    if cards.is_other_address(target.card.content, target.content):
        await consent.note_reset(connection, target.card.id, "an imported register gave another address", now)
    if not await cards.save(connection, target.card, target.content, now):
        raise Conflict("somebody else changes the register right now; import the file again")


def _is_changed(target: Target) -> bool:
    return target.card is not None and target.card.content != target.content


def _report(match: Match, numbers: dict[Target, int]) -> RowReport:
    return RowReport(match.row.number, _outcome(match), numbers[match.target], match.findings)


def _outcome(match: Match) -> ImportOutcome:
    if match.row.number != match.target.rows[0]:
        return ImportOutcome.TWIN
    if match.target.card is None:
        return ImportOutcome.ADDED
    return ImportOutcome.UPDATED if _is_changed(match.target) else ImportOutcome.UNCHANGED


def _count(reports: tuple[RowReport, ...]) -> dict[str, int]:
    outcomes = Counter(report.outcome.value for report in reports)
    findings = Counter(finding.kind.value for report in reports for finding in report.findings)
    return dict(outcomes + findings)
