"""What answers and reports were taken to mean, read back; and what `reclassify` has put right, run by run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, insert, or_, select, update

from config.vocabulary import EnhancedStatus, EventKind, Fault, MessageStatus, Reason, Reply
from engine.store.database import Connection
from engine.store.tables import correction, message_event, report


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one event was taken to mean, corrections included; it moved its message from `old` to `new`."""

    event_id: int
    message_id: int
    kind: EventKind
    old: MessageStatus
    new: MessageStatus
    reason: Reason
    fault: Fault
    reply: Reply
    stage: str
    host: str
    report_id: int | None


@dataclass(frozen=True, slots=True)
class Correction:
    """One event put right; `changes` names what was changed with it, as it was and as it was left."""

    event_id: int
    message_id: int
    reason: Reason
    fault: Fault
    changes: Mapping[str, Any]
    at: datetime


async def meanings(connection: Connection, after_event_id: int, limit: int) -> list[Meaning]:
    """Refusals and reports in the order of their events; not what we found ourselves, or never saw the answer to."""
    said = message_event.c.host != ""
    by_attempt = (message_event.c.kind == EventKind.ATTEMPT) & said & message_event.c.reason.not_in(_UNJUDGED)
    heard = or_(by_attempt, message_event.c.kind == EventKind.REPORT)
    query = select(message_event).where(message_event.c.id > after_event_id, heard)
    rows = (await connection.execute(query.order_by(message_event.c.id).limit(limit))).all()
    corrected = await _corrected(connection, [row.id for row in rows])
    return [_to_meaning(row, corrected.get(row.id)) for row in rows]


_UNJUDGED = (Reason.ACCEPTED, Reason.UNCERTAIN)


async def deciding(connection: Connection, message_ids: Collection[int]) -> dict[int, int]:
    """The event that each message owes its status to: the last that moved it, or a later one that only left a line."""
    heard = message_event.c.kind.in_([EventKind.ATTEMPT, EventKind.REPORT])
    query = (
        select(message_event.c.message_id, func.max(message_event.c.id))
        .where(message_event.c.message_id.in_(message_ids), heard, _matters())
        .group_by(message_event.c.message_id)
    )
    return {row[0]: row[1] for row in await connection.execute(query)}


def _matters() -> ColumnElement[bool]:
    """True for an event that moved its message, or left one that had arrived where it was."""
    return or_(
        message_event.c.kind == EventKind.ATTEMPT,
        message_event.c.old != message_event.c.new,
        message_event.c.new == MessageStatus.SENT,
    )


async def raw_reports(connection: Connection, report_ids: Collection[int]) -> dict[int, bytes]:
    """The bytes of those returned mails whose retention is not over."""
    query = select(report.c.id, report.c.raw).where(report.c.id.in_(report_ids), report.c.raw.is_not(None))
    return {row.id: row.raw for row in await connection.execute(query)}


async def add(connection: Connection, corrections: Sequence[Correction]) -> int:
    """Write the corrections of one run; returns its number."""
    last: int | None = (await connection.execute(select(func.max(correction.c.run)))).scalar()
    run = (last or 0) + 1
    rows = [
        {"run": run, "event_id": one.event_id, "message_id": one.message_id, "at": one.at}
        | {"reason": one.reason, "fault": one.fault, "changes": dict(one.changes)}
        for one in corrections
    ]
    if rows:
        await connection.execute(insert(correction), rows)
    return run


async def last_run(connection: Connection) -> tuple[int, list[Correction]]:
    """The newest run that was not taken back, and its corrections; run 0 where there is none."""
    standing = correction.c.undone_at.is_(None)
    run: int | None = (await connection.execute(select(func.max(correction.c.run)).where(standing))).scalar()
    rows = await connection.execute(select(correction).where(correction.c.run == run).order_by(correction.c.id))
    return run or 0, [_to_correction(row) for row in rows]


async def mark_undone(connection: Connection, run: int, now: datetime) -> None:
    await connection.execute(update(correction).where(correction.c.run == run).values(undone_at=now))


async def _corrected(connection: Connection, event_ids: Sequence[int]) -> dict[int, Correction]:
    """What stands of earlier corrections, by event."""
    standing = correction.c.event_id.in_(event_ids) & correction.c.undone_at.is_(None)
    rows = await connection.execute(select(correction).where(standing).order_by(correction.c.id))
    return {row.event_id: _to_correction(row) for row in rows}


def _to_correction(row: Row[Any]) -> Correction:
    return Correction(row.event_id, row.message_id, Reason(row.reason), Fault(row.fault), row.changes, row.at)


def _to_meaning(row: Row[Any], corrected: Correction | None) -> Meaning:
    left = corrected.changes.get("status", [row.old, row.new])[1] if corrected else row.new
    return Meaning(
        row.id,
        row.message_id,
        EventKind(row.kind),
        MessageStatus(row.old),
        MessageStatus(left),
        corrected.reason if corrected else Reason(row.reason),
        corrected.fault if corrected else Fault(row.fault),
        Reply(row.code, _enhanced(row.enhanced), row.text),
        row.stage,
        row.host,
        row.report_id,
    )


def _enhanced(text: str) -> EnhancedStatus | None:
    return EnhancedStatus(*map(int, text.split("."))) if text else None
