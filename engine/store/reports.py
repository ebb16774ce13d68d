"""Returned mail, kept raw with what was found in it; the same mail twice is one row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

from config.vocabulary import ReportKind
from engine.store.database import Connection
from engine.store.tables import report
from engine.store.words import storable


class ReportState(StrEnum):
    """What came of a returned mail."""

    APPLIED = "applied"
    """What it says is written down; it may have said nothing of any message."""
    UNMATCHED = "unmatched"
    """It says something, but no valid token says of which message: nothing was changed."""
    UNPARSEABLE = "unparseable"
    """Could not be read, or not be applied, within the limits."""
    FORWARDING = "forwarding"
    """A person's letter on its way to the user who sent the mailing."""
    FORWARDED = "forwarded"
    """That letter has been handed over."""
    UNDELIVERED = "undelivered"
    """That letter could not be handed over, and the operator was told."""
    WITHHELD = "withheld"
    """A letter too many for one mail and one day: it is not carried on, and the operator was told."""


@dataclass(frozen=True, slots=True)
class NewReport:
    """A mail as it came in, and what came of it: `findings` for people, `message_id` where a valid token named one."""

    received_at: datetime
    envelope_from: str
    recipients: tuple[str, ...]
    peer: str
    raw: bytes
    state: ReportState = ReportState.UNPARSEABLE
    kind: ReportKind = ReportKind.UNPARSEABLE
    findings: Sequence[Mapping[str, Any]] = ()
    message_id: int | None = None
    settled_at: datetime | None = None

    @property
    def digest(self) -> str:
        """What makes two mails the same: recipients and content, whoever brought them and when."""
        recipients = "\n".join(sorted(self.recipients)).encode(errors="replace")
        return hashlib.sha256(recipients + b"\0" + self.raw).hexdigest()


async def add(connection: Connection, reports: Sequence[NewReport]) -> dict[str, int]:
    """Keep some mails; returns the numbers of those that are new, by digest.

    One that is known already (its sender never heard our 250 and sent it again) is kept once. Of two processes that
    keep the same mail, the second waits for the first.
    """
    by_digest = {new.digest: new for new in reversed(reports)}
    if not by_digest:
        return {}
    make_insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make_insert(report).on_conflict_do_nothing(index_elements=["digest"])
    rows = [_row(digest, by_digest[digest]) for digest in sorted(by_digest)]
    added = await connection.execute(statement.returning(report.c.digest, report.c.id), rows)
    return {row.digest: row.id for row in added}


def _row(digest: str, new: NewReport) -> dict[str, object]:
    return {
        "received_at": new.received_at,
        "envelope_from": storable(new.envelope_from),
        "recipients": [storable(recipient) for recipient in new.recipients],
        "peer": new.peer,
        "digest": digest,
        "raw": new.raw,
        "state": new.state,
        "kind": new.kind,
        "findings": [_storable(finding) for finding in new.findings],
        "message_id": new.message_id,
        "settled_at": new.settled_at,
    }


def _storable(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {name: storable(value) if isinstance(value, str) else value for name, value in finding.items()}
