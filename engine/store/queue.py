"""The durable queue: messages are claimed under a lease, given back unused, or held until a site takes mail again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Row,
    Select,
    String,
    Subquery,
    Text,
    Update,
    bindparam,
    case,
    func,
    null,
    select,
    true,
    update,
)

from config.vocabulary import AddressStatus, Fault, MailingState, MessageStatus, Reason
from engine.store.batches import Columns, batch
from engine.store.card_status import Turn, turn
from engine.store.database import Connection
from engine.store.lanes import Lane, lanes, next_due, waiting_mailings
from engine.store.message_rows import Message, select_messages
from engine.store.messages import Move, move, move_waiting
from engine.store.suppressions import reaches
from engine.store.tables import Instant, mailing, message, to_microseconds

__all__ = ["Job", "Lane", "Want", "claim", "hold", "lanes", "next_due", "overdue", "release", "sweep_cancelled"]


@dataclass(frozen=True, slots=True)
class Want:
    """How many messages of one lane to claim."""

    domain: str
    mailing_id: int
    limit: int


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed message; only who holds the lease may settle it.

    `attempts` counts this attempt too; `first_attempt_at` is `claimed_at` where nothing was tried or held before.
    """

    message_id: int
    mailing_id: int
    association_id: int
    card_id: int
    email: str
    address_key: str
    first_name: str
    last_name: str
    domain: str
    status: MessageStatus
    attempts: int
    created_at: datetime
    first_attempt_at: datetime
    claimed_at: datetime
    lease: str


async def claim(
    connection: Connection,
    wants: Sequence[Want],
    lease: str,
    now: datetime,
    lease_until: datetime,
    *,
    hold_uncertain: bool = False,
) -> list[Job]:
    """Book an attempt at the longest due messages of some lanes, at most so many of each.

    A message whose former lease ran out becomes `unknown` first; with `hold_uncertain` it stays so until a person
    decides. A message to an address that is suppressed by now becomes `blocked`. Neither is written before the
    transaction of the caller commits, so dial only after that.
    """
    picked = await _pick(connection, wants, now)
    suppressed = [row for row in picked if row.suppressed]
    expired = [row for row in picked if row.lease is not None and not row.suppressed]
    await _block(connection, suppressed, now)
    await _doubt(connection, expired, now, hold_uncertain)
    left_out = {row.id for row in suppressed} | ({row.id for row in expired} if hold_uncertain else set())
    jobs = [_to_job(row, lease, now) for row in picked if row.id not in left_out]
    await _book(connection, jobs, lease_until)
    return jobs


async def release(connection: Connection, jobs: Sequence[Job], now: datetime) -> None:
    """Give back claims that were not used: due at once, and no try is counted."""
    if not jobs:
        return
    rows = [[job.message_id, job.lease, to_microseconds(job.claimed_at)] for job in jobs]
    await connection.execute(_release(batch(connection, _JOB_COLUMNS)), {"rows": rows, "now": now})


async def hold(
    connection: Connection,
    domains: Collection[str],
    until: datetime,
    now: datetime,
    *,
    reason: Reason,
    fault: Fault,
    text: str,
) -> int:
    """Let what waits for some domains wait until an instant, as `deferred`, without using a try; returns how many.

    The five days of trying begin with the first hold. What is `unknown` waits too, but stays what it is.
    """
    waits = _waits_for(domains) & (message.c.next_attempt_at < until)
    doubtful = message.c.status == MessageStatus.UNKNOWN
    held = 0
    for which, new in ((waits & ~doubtful, MessageStatus.DEFERRED), (waits & doubtful, MessageStatus.UNKNOWN)):
        held += await move_waiting(
            connection,
            which,
            new,
            now,
            reason=reason,
            fault=fault,
            text=text,
            next_attempt_at=until,
            starts_window=True,
        )
    return held


async def sweep_cancelled(connection: Connection, now: datetime) -> int:
    """Take out of the queue what was under way when its mailing was cancelled and came back; returns how many."""
    cancelled = select(mailing.c.id).where(
        mailing.c.id.in_(waiting_mailings()), mailing.c.state == MailingState.CANCELLED
    )
    rest = message.c.mailing_id.in_(cancelled) & message.c.next_attempt_at.is_not(None)
    return await move_waiting(connection, rest, MessageStatus.NONE, now, reason=Reason.CANCELLED)


async def overdue(connection: Connection, domains: Collection[str], first_before: datetime) -> list[Message]:
    """What still waits for some domains though it was first tried or held before an instant; locked for moving."""
    old = (message.c.first_attempt_at <= first_before) & message.c.lease.is_(None)
    return await select_messages(connection, _waits_for(domains) & old, for_update=True)


def _waits_for(domains: Collection[str]) -> ColumnElement[bool]:
    return (
        message.c.mailing_id.in_(waiting_mailings())
        & message.c.domain.in_(domains)
        & message.c.next_attempt_at.is_not(None)
    )


async def _pick(connection: Connection, wants: Sequence[Want], now: datetime) -> list[Row[Any]]:
    """The rows to claim, locked where others write too; a statement for each limit that occurs."""
    by_limit: dict[int, list[list[object]]] = defaultdict(list)
    for want in wants:
        by_limit[want.limit].append([want.mailing_id, want.domain])
    statement = _pick_statement(connection)
    picked: list[Row[Any]] = []
    for limit, rows in by_limit.items():
        picked += await connection.execute(statement, {"rows": rows, "limit": limit, "now": now})
    return picked


_LANE_COLUMNS: Columns = {"mailing_id": BigInteger(), "domain": Text()}
_JOB_COLUMNS: Columns = {"id": BigInteger(), "lease": String(), "claimed_at": BigInteger()}


def _pick_statement(connection: Connection) -> Select[Any]:
    make = _pick_sqlite if connection.dialect.name == "sqlite" else _pick_postgresql
    return make(batch(connection, _LANE_COLUMNS))


@cache
def _pick_sqlite(lane: Subquery) -> Select[Any]:
    """SQLite knows no LATERAL, but follows a correlated IN by the number of the row."""
    longest = _longest_due(lane, [_waiting.c.id])
    return _picked(message).select_from(lane).join(message, message.c.id.in_(longest))


@cache
def _pick_postgresql(lane: Subquery) -> Select[Any]:
    """Rows that another sender is about to claim are skipped, not waited for."""
    longest = _longest_due(lane, [_waiting.c[name] for name in _PICKED]).with_for_update(skip_locked=True).lateral()
    return _picked(longest).select_from(lane).join(longest, true())


_waiting = message.alias("waiting")
_PICKED = ["id", *(name for name in Job.__slots__ if name in message.c)]


def _picked(rows: FromClause) -> Select[Any]:
    suppressed = reaches(rows.c.address_key, rows.c.association_id).label("suppressed")
    return select(*(rows.c[name] for name in _PICKED), suppressed)


def _longest_due(lane: Subquery, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
    row = _waiting.c
    state = select(mailing.c.state).where(mailing.c.id == lane.c.mailing_id).correlate(lane).scalar_subquery()
    return (
        select(*columns)
        .where(row.mailing_id == lane.c.mailing_id, row.domain == lane.c.domain, state == MailingState.SENDING)
        .where(row.next_attempt_at.is_not(None), row.next_attempt_at <= bindparam("now", type_=Instant()))
        .correlate(lane)
        .order_by(row.next_attempt_at)
        .limit(bindparam("limit", type_=Integer()))
    )


def _to_job(row: Row[Any], lease: str, now: datetime) -> Job:
    return Job(
        message_id=row.id,
        mailing_id=row.mailing_id,
        association_id=row.association_id,
        card_id=row.card_id,
        email=row.email,
        address_key=row.address_key,
        first_name=row.first_name,
        last_name=row.last_name,
        domain=row.domain,
        status=MessageStatus.UNKNOWN if row.lease else MessageStatus(row.status),
        attempts=row.attempts + 1,
        created_at=row.created_at,
        first_attempt_at=row.first_attempt_at or now,
        claimed_at=now,
        lease=lease,
    )


async def _book(connection: Connection, jobs: Sequence[Job], lease_until: datetime) -> None:
    if not jobs:
        return
    rows = [[job.message_id, job.lease, to_microseconds(job.claimed_at)] for job in jobs]
    await connection.execute(_booking(batch(connection, _JOB_COLUMNS)), {"rows": rows, "lease_until": lease_until})


@cache
def _booking(jobs: Subquery) -> Update:
    return (
        update(message)
        .where(message.c.id == jobs.c.id)
        .values(
            lease=jobs.c.lease,
            attempts=message.c.attempts + 1,
            first_attempt_at=func.coalesce(message.c.first_attempt_at, jobs.c.claimed_at),
            next_attempt_at=bindparam("lease_until", type_=Instant()),
        )
    )


@cache
def _release(jobs: Subquery) -> Update:
    was_first = message.c.first_attempt_at == jobs.c.claimed_at
    return (
        update(message)
        .where(message.c.id == jobs.c.id, message.c.lease == jobs.c.lease)
        .values(
            lease=null(),
            attempts=message.c.attempts - 1,
            first_attempt_at=case((was_first, null()), else_=message.c.first_attempt_at),
            next_attempt_at=bindparam("now", type_=Instant()),
        )
    )


async def _doubt(connection: Connection, rows: Sequence[Row[Any]], now: datetime, hold_uncertain: bool) -> None:
    """Write down that nobody knows what became of an attempt."""
    doubts = [
        Move(
            row.id,
            MessageStatus(row.status),
            MessageStatus.UNKNOWN,
            now,
            Reason.UNCERTAIN,
            Fault.UNKNOWN,
            attempt=row.attempts,
            lease=row.lease,
            next_attempt_at=None if hold_uncertain else now,
        )
        for row in rows
    ]
    await move(connection, doubts)


async def _block(connection: Connection, rows: Sequence[Row[Any]], now: datetime) -> None:
    """Let what waits for a suppressed address wait no longer."""
    blocked = [
        Move(row.id, MessageStatus(row.status), MessageStatus.BLOCKED, now, Reason.KNOWN_BAD, Fault.RECIPIENT_ADDRESS)
        for row in rows
    ]
    await move(connection, blocked)
    await turn(connection, [Turn(row.card_id, row.address_key, AddressStatus.PROBLEM_BLOCKED) for row in rows], now)
