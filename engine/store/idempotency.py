"""A request with an `Idempotency-Key` is carried out once: its answer is kept and given again.

The row is begun in a transaction of its own, so that a twin that comes meanwhile sees it; the answer is written in the
transaction that does the work, so that a crash leaves both or neither. A row without an answer older than `STALE` was
left by a crash and is taken over; whoever began it first can then no longer finish (`finish` is guarded).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from engine.errors import Conflict
from engine.store.database import Connection
from engine.store.tables import idempotency

KEPT = timedelta(days=2)
STALE = timedelta(minutes=10)


class Finding(Enum):
    """What is known of a key when a request comes with it."""

    NEW = "new"
    IN_FLIGHT = "in_flight"
    OTHER_REQUEST = "other_request"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer that was given the first time."""

    status_code: int
    body: object


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request under one key; `begun_at` fences it against a later one that took it over."""

    caller: str
    key: str
    request_hash: str
    begun_at: datetime


async def begin(connection: Connection, ticket: Ticket) -> Finding | Answer:
    """Claim the key for this request, or say what stands in the way; the first answer where there is one."""
    now = ticket.begun_at
    await connection.execute(delete(idempotency).where(idempotency.c.created_at <= now - KEPT))
    query = select(idempotency).where(*_same_key(ticket))
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return await _claim(connection, ticket)
    if row.request_hash != ticket.request_hash:
        return Finding.OTHER_REQUEST
    if row.status_code is not None:
        return Answer(row.status_code, row.response)
    return await _take_over(connection, ticket, row.created_at)


async def finish(connection: Connection, ticket: Ticket, answer: Answer) -> None:
    """Keep the answer, within the transaction that did the work. Raises Conflict where another has taken over."""
    values = {"status_code": answer.status_code, "response": answer.body}
    done = await connection.execute(update(idempotency).where(*_mine(ticket)).values(values))
    if done.rowcount != 1:
        raise Conflict("another request with the same Idempotency-Key has taken over; ask again")


async def abandon(connection: Connection, ticket: Ticket) -> None:
    """Give the key back after a refusal, which changed nothing: the next request with it is a new one."""
    await connection.execute(delete(idempotency).where(*_mine(ticket), idempotency.c.status_code.is_(None)))


async def _claim(connection: Connection, ticket: Ticket) -> Finding:
    values = {
        "caller": ticket.caller,
        "key": ticket.key,
        "request_hash": ticket.request_hash,
        "created_at": ticket.begun_at,
    }
    try:
        await connection.execute(insert(idempotency).values(values))
    except IntegrityError:
        raise Conflict("a request with the same Idempotency-Key has just come in; ask again") from None
    return Finding.NEW


async def _take_over(connection: Connection, ticket: Ticket, begun_at: datetime) -> Finding:
    if ticket.begun_at - begun_at < STALE:
        return Finding.IN_FLIGHT
    unchanged = (*_same_key(ticket), idempotency.c.created_at == begun_at, idempotency.c.status_code.is_(None))
    taken = await connection.execute(update(idempotency).where(*unchanged).values(created_at=ticket.begun_at))
    return Finding.NEW if taken.rowcount == 1 else Finding.IN_FLIGHT


def _same_key(ticket: Ticket) -> tuple[ColumnElement[bool], ...]:
    return idempotency.c.caller == ticket.caller, idempotency.c.key == ticket.key


def _mine(ticket: Ticket) -> tuple[ColumnElement[bool], ...]:
    return *_same_key(ticket), idempotency.c.created_at == ticket.begun_at
