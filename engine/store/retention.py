"""What is forgotten when its time is over: the words of the delivery log, returned mail, and at last the events.

Old rows are found in the order of their numbers, which is that of their time, by a reader; only to drop a part of them
is the writer's turn taken.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Table, delete, or_, select, update

from engine.store.database import Connection
from engine.store.reports import ReportState
from engine.store.tables import alert, audit_event, correction, letter, message, message_event, report, suppression

_PART = 1000


@dataclass(frozen=True, slots=True)
class Chore:
    """One sort of rows to be forgotten: which are old, and what is done with those."""

    table: Table
    is_old: Callable[[datetime], ColumnElement[bool]]
    drop: Callable[[Connection, Sequence[int]], Awaitable[None]]

    async def find(self, connection: Connection, before: datetime) -> Sequence[int]:
        """The first of the rows that are older than an instant, a part at a time; empty where there are none."""
        query = select(self.table.c.id).where(self.is_old(before)).order_by(self.table.c.id).limit(_PART)
        return (await connection.execute(query)).scalars().all()


async def _drop_raw(connection: Connection, ids: Sequence[int]) -> None:
    await connection.execute(update(report).where(report.c.id.in_(ids)).values(raw=None))


async def _drop_reports(connection: Connection, ids: Sequence[int]) -> None:
    """Their events stay; those are found by their messages, which have an index."""
    of_messages = message_event.c.message_id.in_(select(report.c.message_id).where(report.c.id.in_(ids)))
    of_reports = message_event.c.report_id.in_(ids)
    await connection.execute(update(message_event).where(of_messages, of_reports).values(report_id=None))
    await connection.execute(delete(letter).where(letter.c.report_id.in_(ids)))
    await connection.execute(delete(report).where(report.c.id.in_(ids)))


async def _drop_words(connection: Connection, ids: Sequence[int]) -> None:
    """That there was an attempt, and how it ended, stays."""
    blank = {"text": "", "host": "", "tls": ""}
    await connection.execute(update(message_event).where(message_event.c.id.in_(ids)).values(blank))
    of_events = select(message_event.c.message_id).where(message_event.c.id.in_(ids))
    await connection.execute(update(message).where(message.c.id.in_(of_events)).values(last_reply=None))


async def _drop_events(connection: Connection, ids: Sequence[int]) -> None:
    await connection.execute(delete(correction).where(correction.c.event_id.in_(ids)))
    await connection.execute(delete(message_event).where(message_event.c.id.in_(ids)))


def _drop_from(table: Table) -> Callable[[Connection, Sequence[int]], Awaitable[None]]:
    async def drop(connection: Connection, ids: Sequence[int]) -> None:
        await connection.execute(delete(table).where(table.c.id.in_(ids)))

    return drop


_has_arrived = report.c.state != ReportState.FORWARDING
_says_words = or_(message_event.c.text != "", message_event.c.host != "")

RAW = Chore(
    report, lambda before: (report.c.received_at < before) & report.c.raw.is_not(None) & _has_arrived, _drop_raw
)
"""The bytes of returned mail; what was found in it stays, and a letter under way keeps them."""

REPORTS = Chore(report, lambda before: (report.c.received_at < before) & _has_arrived, _drop_reports)
"""Returned mail altogether."""

WORDS = Chore(message_event, lambda before: (message_event.c.at < before) & _says_words, _drop_words)
"""What receivers said and where, in the events and on the message."""

EVENTS = (
    Chore(message_event, lambda before: message_event.c.at < before, _drop_events),
    Chore(audit_event, lambda before: audit_event.c.at < before, _drop_from(audit_event)),
    Chore(alert, lambda before: (alert.c.at < before) & alert.c.closed_at.is_not(None), _drop_from(alert)),
    Chore(suppression, lambda before: suppression.c.lifted_at < before, _drop_from(suppression)),
)
"""Events of messages, of people at work, alerts that are closed, suppressions that are lifted; consent never."""
