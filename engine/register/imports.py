"""Import a register: every row becomes, changes or finds a card, and the report says which, row by row."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from config.vocabulary import ImportOutcome
from engine.errors import Conflict
from engine.register.associations import Association
from engine.register.associations import update as update_association
from engine.register.matching import Match, Matcher, Target
from engine.register.rows import Finding, read_rows
from engine.register.sheet import Sheet
from engine.register.sheet import read_sheet as read_register
from engine.store import associations, cards, consent
from engine.store.cards import Card, is_other_address
from engine.store.database import Connection, Database

__all__ = [
    "Finding",
    "ImportReport",
    "Plan",
    "RowReport",
    "Sheet",
    "import_register",
    "make_plan",
    "plan_import",
    "read_known",
    "read_register",
]


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


@dataclass(frozen=True, slots=True)
class Known:
    """The register as it was read for an import; `extent` tells whether it has changed since."""

    association: Association
    extent: cards.Extent
    cards: list[Card]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sheet makes of a register, worked out and made ready before anybody has to wait for it."""

    known: Known
    new_columns: tuple[str, ...]
    matches: tuple[Match, ...]
    outcomes: tuple[ImportOutcome, ...]
    fresh: tuple[Target, ...]
    changed: tuple[Target, ...]
    lines: list[cards.Line]
    changes: list[cards.Line]


async def plan_import(database: Database, association_id: int, sheet: Sheet) -> Plan:
    """Work out what becomes of every row of a sheet; no connection is held meanwhile, and no thread of the loop.

    Raises InvalidInput (a head without use) and NotFound.
    """
    async with database.read() as connection:
        known = await read_known(connection, association_id)
    return await asyncio.to_thread(make_plan, known, sheet)


async def read_known(connection: Connection, association_id: int) -> Known:
    """The register as it stands; how far it reaches is read first. Raises NotFound."""
    association = await associations.get(connection, association_id)
    extent = await cards.extent(connection, association_id)
    return Known(association, extent, await cards.every(connection, association_id))


def make_plan(known: Known, sheet: Sheet) -> Plan:
    """Match every row with a card, and make ready what is to be written. Raises InvalidInput (a head without use)."""
    columns, rows = read_rows(sheet, known.association.columns)
    matcher = Matcher(known.cards, rows)
    matches = tuple(matcher.match(row) for row in rows)
    targets = dict.fromkeys(match.target for match in matches)
    fresh = tuple(target for target in targets if target.card is None)
    changed = tuple(target for target in targets if _is_changed(target))
    return Plan(
        known,
        tuple(column for column in columns if column not in known.association.columns),
        matches,
        tuple(_outcome(match) for match in matches),
        fresh,
        changed,
        [cards.to_line(target.content) for target in fresh],
        [cards.to_change(target.card, target.content) for target in changed if target.card],
    )


async def import_register(connection: Connection, plan: Plan, now: datetime) -> ImportReport:
    """Write the rows of a sheet on cards, old and new: all of them or none; nothing is dropped silently.

    Raises InvalidInput (too many columns), NotFound, and Conflict where the register has changed since it was planned.
    """
    association = await associations.hold(connection, plan.known.association.id)
    if (association, await cards.extent(connection, association.id)) != (plan.known.association, plan.known.extent):
        raise _changed_meanwhile()
    if plan.new_columns:
        await update_association(connection, association.id, columns=(*association.columns, *plan.new_columns))
    numbers = await _write(connection, plan, now)
    reports = tuple(
        RowReport(match.row.number, outcome, numbers[match.target], match.findings)
        for match, outcome in zip(plan.matches, plan.outcomes, strict=True)
    )
    return ImportReport(reports, _count(reports), plan.new_columns)


async def _write(connection: Connection, plan: Plan, now: datetime) -> dict[Target, int]:
    """Write every target once; returns the numbers of their cards."""
    moved = [one.card.id for one in plan.changed if one.card and is_other_address(one.card.content, one.content)]
    await consent.note_reset(connection, moved, "an imported register gave another address", now)
    if await cards.save_lines(connection, plan.changes, now) != len(plan.changes):
        raise _changed_meanwhile()
    added = await cards.add_lines(connection, plan.known.association.id, plan.lines, now)
    known = {match.target: match.target.card.id for match in plan.matches if match.target.card}
    return known | dict(zip(plan.fresh, added, strict=True))


def _changed_meanwhile() -> Conflict:
    return Conflict("somebody has changed the register meanwhile, so nothing was written; import the file again")


def _is_changed(target: Target) -> bool:
    return target.card is not None and target.card.content != target.content


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
