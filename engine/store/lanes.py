"""The lanes of the queue, found by stepping through their index: it costs by the lane and not by the message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import CTE, ColumnElement, FromClause, ScalarSelect, Select, Subquery, func, literal_column, select

from config.vocabulary import MailingState
from engine.store.columns import Instant
from engine.store.database import Connection
from engine.store.tables import mailing, message


@dataclass(frozen=True, slots=True)
class Lane:
    """The waiting messages of one mailing to one domain, and when the first of them is due."""

    domain: str
    mailing_id: int
    association_id: int
    due_at: datetime


async def lanes(connection: Connection, now: datetime) -> list[Lane]:
    """The lanes that have something due, of mailings that are being sent."""
    lane = _lanes()
    rows = await connection.execute(select(lane).where(lane.c.due_at <= now))
    return [Lane(row.domain, row.mailing_id, row.association_id, row.due_at) for row in rows]


async def next_due(connection: Connection) -> datetime | None:
    """When the next message of any mailing that is being sent is due; None where nothing waits."""
    first: datetime | None = (await connection.execute(select(func.min(_lanes().c.due_at, type_=Instant())))).scalar()
    return first


@cache
def waiting_mailings() -> Select[Any]:
    """The numbers of the mailings that have something waiting, in whatever state they are.

    Nested: before an UPDATE a WITH would hide from Python's sqlite3 how many rows were changed.
    """
    active = select(_first(message.c.mailing_id).label("mailing_id")).cte("active", recursive=True, nesting=True)
    after = _first(message.c.mailing_id, active, message.c.mailing_id > active.c.mailing_id)
    active = active.union_all(select(after).where(active.c.mailing_id.is_not(None)))
    return select(active.c.mailing_id).where(active.c.mailing_id.is_not(None))


@cache
def _lanes() -> Subquery:
    lane = _steps()
    of_lane = (message.c.mailing_id == lane.c.mailing_id, message.c.domain == lane.c.domain)
    due_at = _first(message.c.next_attempt_at, lane, *of_lane).label("due_at")
    query = select(lane.c.domain, lane.c.mailing_id, lane.c.association_id, due_at)
    return query.where(lane.c.domain.is_not(None)).subquery("lanes")


def _steps() -> CTE:
    """From each mailing's first domain to its next, until there is none."""
    sending = (mailing.c.id.in_(waiting_mailings()), mailing.c.state == MailingState.SENDING)
    domain = _first(message.c.domain, mailing, message.c.mailing_id == mailing.c.id).label("domain")
    first = select(mailing.c.id.label("mailing_id"), mailing.c.association_id, domain).where(*sending)
    lane = first.cte("lane", recursive=True)
    of_mailing = (message.c.mailing_id == lane.c.mailing_id, message.c.domain > lane.c.domain)
    after = select(lane.c.mailing_id, lane.c.association_id, _first(message.c.domain, lane, *of_mailing))
    return lane.union_all(after.where(lane.c.domain.is_not(None)))


def _first(
    column: ColumnElement[Any], outer: FromClause | None = None, *which: ColumnElement[bool]
) -> ScalarSelect[Any]:
    """The value in the first waiting message of a condition: one step in the index.

    The whole order of the lanes is asked for, not a minimum, so that no other index looks tempting to a planner.
    """
    query = select(column).where(message.c.next_attempt_at.is_not(None), *which).order_by(*_LANE_ORDER)
    return query.limit(literal_column("1")).correlate(outer).scalar_subquery()


_LANE_ORDER = (message.c.mailing_id, message.c.domain, message.c.next_attempt_at)
