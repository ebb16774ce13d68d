"""Returned mail, kept raw before its sender hears 250 again, and what was found in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from config.vocabulary import ReportKind
from engine.store.database import Connection
from engine.store.tables import report


class ReportState(StrEnum):
    """How far a returned mail has come."""

    STORED = "stored"
    """Kept, not yet read."""
    APPLIED = "applied"
    """Read, and what it says is written down; it may have said nothing of any message."""
    UNMATCHED = "unmatched"
    """It says something, but no valid token says of which message: nothing was changed."""
    UNPARSEABLE = "unparseable"
    """Could not be read within the limits."""
    FORWARDING = "forwarding"
    """A person's letter on its way to the user who sent the mailing."""
    FORWARDED = "forwarded"
    """That letter has been handed over."""


@dataclass(frozen=True, slots=True)
class NewReport:
    """A mail as it came in."""

    received_at: datetime
    envelope_from: str
    recipients: tuple[str, ...]
    peer: str
    raw: bytes

    @property
    def digest(self) -> str:
        """What makes two mails the same: recipients and content, whoever brought them and when."""
        recipients = "\n".join(sorted(self.recipients)).encode()
        return hashlib.sha256(recipients + b"\0" + self.raw).hexdigest()


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A mail that waits to be read."""

    id: int
    received_at: datetime
    envelope_from: str
    recipients: tuple[str, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of one: `findings` for people, `message_id` where a valid token named one."""

    report_id: int
    state: ReportState
    kind: ReportKind
    findings: Sequence[dict[str, Any]] = ()
    message_id: int | None = None


async def add(connection: Connection, reports: Sequence[NewReport]) -> None:
    """Keep some mails; one that is known already (the other server asked twice) is kept once."""
    if not reports:
        return
    make_insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    rows = [
        {
            "received_at": new.received_at,
            "envelope_from": new.envelope_from,
            "recipients": list(new.recipients),
            "peer": new.peer,
            "digest": new.digest,
            "raw": new.raw,
            "state": ReportState.STORED,
            "findings": [],
        }
        for new in {new.digest: new for new in reports}.values()
    ]
    statement = make_insert(report).on_conflict_do_nothing(index_elements=["digest"])
    await connection.execute(statement, rows)


async def unsettled(connection: Connection, limit: int) -> list[StoredReport]:
    """The mails that wait to be read, oldest first."""
    columns = (report.c.id, report.c.received_at, report.c.envelope_from, report.c.recipients, report.c.raw)
    query = select(*columns).where(report.c.state == ReportState.STORED).order_by(report.c.id).limit(limit)
    return [
        StoredReport(row.id, row.received_at, row.envelope_from, tuple(row.recipients), row.raw or b"")
        for row in await connection.execute(query)
    ]


async def settle(connection: Connection, settled: Settled, now: datetime) -> None:
    """Write down what came of a mail."""
    values = {
        "state": settled.state,
        "kind": settled.kind,
        "findings": list(settled.findings),
        "message_id": settled.message_id,
        "settled_at": now,
    }
    await connection.execute(update(report).where(report.c.id == settled.report_id).values(values))


async def forget_raw(connection: Connection, received_before: datetime) -> int:
    """Drop the bytes of old mails, whose retention is over; what was found in them stays. Returns how many."""
    old = (report.c.received_at < received_before, report.c.raw.is_not(None), report.c.state != ReportState.STORED)
    return (await connection.execute(update(report).where(*old).values(raw=None))).rowcount
