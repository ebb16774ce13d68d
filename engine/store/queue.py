"""The durable queue: messages are claimed under a lease, and given back where they were not tried."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from secrets import token_hex
from typing import NamedTuple

from sqlalchemy import BigInteger, String, Subquery, Text, Update, bindparam, case, func, null, or_, update

from config.vocabulary import AddressStatus, Fault, MessageStatus, Reason
from engine.store.batches import Columns, batch
from engine.store.card_status import Turn, turn
from engine.store.columns import Instant, from_microseconds, to_microseconds
from engine.store.database import Connection
from engine.store.lanes import waiting_mailings
from engine.store.messages import Move, move
from engine.store.picking import Picked, Want, pick
from engine.store.tables import message

__all__ = ["Job", "Want", "claim", "end_leases", "give_back_tries", "lease_of", "release", "renew"]


class Job(NamedTuple):
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


def lease_of(holder: str) -> str:
    """A new lease that tells whose it is: at most 32 characters where the holder's name has 18."""
    return f"{holder}.{token_hex(6)}"


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
    picked = await pick(connection, wants, now)
    suppressed = [row for row in picked if row.suppressed]
    expired = [row for row in picked if row.lease is not None and not row.suppressed]
    await _block(connection, suppressed, now)
    await _doubt(connection, expired, now, hold_uncertain)
    left_out = {row.id for row in suppressed} | ({row.id for row in expired} if hold_uncertain else set())
    jobs = [_to_job(row, lease, now) for row in picked if row.id not in left_out]
    await _book(connection, jobs, {want.domain: want.site for want in wants}, lease_until)
    return jobs


async def release(connection: Connection, jobs: Sequence[Job], now: datetime) -> None:
    """Give back claims that were not used: due at once, and no try is counted."""
    if not jobs:
        return
    await connection.execute(_release(batch(connection, _CLAIM)), {"rows": _claims(jobs), "now": now})


async def renew(connection: Connection, jobs: Sequence[Job], lease_until: datetime) -> None:
    """Go on holding claims that are still under way; those that are settled or another's by now stay as they are."""
    if not jobs:
        return
    values = {"rows": _claims(jobs), "lease_until": lease_until}
    await connection.execute(_renewal(batch(connection, _CLAIM)), values)


async def end_leases(connection: Connection, holders: Collection[str], now: datetime) -> None:
    """Let what processes that are known to have ended had claimed be due at once (`lease_of`)."""
    theirs = [message.c.lease.startswith(f"{holder}.", autoescape=True) for holder in holders]
    if theirs:
        under_way = message.c.mailing_id.in_(waiting_mailings()) & (message.c.next_attempt_at > now)
        await connection.execute(update(message).where(under_way, or_(*theirs)).values(next_attempt_at=now))


async def give_back_tries(connection: Connection, message_ids: Collection[int]) -> None:
    """Let the last attempt at some messages not count."""
    if message_ids:
        these = message.c.id.in_(message_ids)
        await connection.execute(update(message).where(these).values(attempts=message.c.attempts - 1))


_CLAIM: Columns = {"id": BigInteger(), "lease": String(), "claimed_at": BigInteger()}


def _claims(jobs: Sequence[Job]) -> list[list[object]]:
    """What tells claims apart, in the order of `_CLAIM`."""
    return [[job.message_id, job.lease, to_microseconds(job.claimed_at)] for job in jobs]


def _to_job(row: Picked, lease: str, now: datetime) -> Job:
    return Job(
        *row[:9],
        MessageStatus.UNKNOWN if row.lease else MessageStatus(row.status),
        row.attempts + 1,
        from_microseconds(row.created_at),
        now if row.first_attempt_at is None else from_microseconds(row.first_attempt_at),
        now,
        lease,
    )


async def _book(
    connection: Connection, jobs: Sequence[Job], site_of: Mapping[str, str | None], lease_until: datetime
) -> None:
    if not jobs:
        return
    values = {"lease": jobs[0].lease, "now": jobs[0].claimed_at, "lease_until": lease_until}
    rows = [[job.message_id, site_of[job.domain]] for job in jobs]
    booked = batch(connection, {"id": BigInteger(), "site": Text()})
    await connection.execute(_booking(booked), {"rows": rows, **values})


@cache
def _booking(jobs: Subquery) -> Update:
    return (
        update(message)
        .where(message.c.id == jobs.c.id)
        .values(
            site=func.coalesce(jobs.c.site, message.c.site),
            lease=bindparam("lease", type_=String()),
            attempts=message.c.attempts + 1,
            first_attempt_at=func.coalesce(message.c.first_attempt_at, bindparam("now", type_=Instant())),
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


@cache
def _renewal(jobs: Subquery) -> Update:
    return (
        update(message)
        .where(message.c.id == jobs.c.id, message.c.lease == jobs.c.lease)
        .values(next_attempt_at=bindparam("lease_until", type_=Instant()))
    )


async def _doubt(connection: Connection, rows: Sequence[Picked], now: datetime, hold_uncertain: bool) -> None:
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


async def _block(connection: Connection, rows: Sequence[Picked], now: datetime) -> None:
    """Let what waits for a suppressed address wait no longer."""
    blocked = [
        Move(row.id, MessageStatus(row.status), MessageStatus.BLOCKED, now, Reason.KNOWN_BAD, Fault.RECIPIENT_ADDRESS)
        for row in rows
    ]
    await move(connection, blocked)
    await turn(connection, [Turn(row.card_id, row.address_key, AddressStatus.PROBLEM_BLOCKED) for row in rows], now)
