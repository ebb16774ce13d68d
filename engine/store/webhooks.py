"""Webhooks: whom an association's program wants to be told at, and up to which event it was.

The events of messages are the outbox: they are written with every status, in the order of their numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, select, text, update

from engine.errors import Conflict, NotFound
from engine.store.database import Connection
from engine.store.tables import message, message_event, webhook

MOST_EVENTS = 100
"""So many events are told at once."""
MOST_WEBHOOKS = 10
"""So many webhooks an association may have."""
MOST_COUNTED = 1000
_MOST_PASSED = 10_000
"""So many events of the whole installation are looked at to find an association's own."""

_WRITERS = text(
    "SELECT virtualtransaction FROM pg_locks WHERE relation = 'message_event'::regclass AND mode = 'RowExclusiveLock'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook, told up to an event; `next_attempt_at` is None where it is paused.

    While an attempt is under way `next_attempt_at` is the instant from which that may be taken for lost.
    """

    id: int
    association_id: int
    url: str
    nonce: str
    created_at: datetime
    told_event_id: int
    next_attempt_at: datetime | None
    failures: int
    why: str


@dataclass(frozen=True, slots=True)
class Event:
    """What is told of one event of a message; nobody's name or address is in it but where a receiver has said it."""

    id: int
    at: datetime
    kind: str
    message_id: int
    mailing_id: int
    card_id: int
    email: str
    old: str
    new: str
    attempt: int
    reason: str
    fault: str
    code: int
    enhanced: str
    text: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some events of an association, oldest first, and the number up to which there are no others."""

    events: tuple[Event, ...]
    reached: int


async def add(connection: Connection, association_id: int, url: str, nonce: str, now: datetime) -> Webhook:
    """Tell a URL everything that happens from now on. Raises Conflict where there are too many."""
    own = select(func.count()).where(webhook.c.association_id == association_id)
    if (await connection.execute(own)).scalar_one() >= MOST_WEBHOOKS:
        raise Conflict(f"the association has {MOST_WEBHOOKS} webhooks; remove one first")
    values = {"association_id": association_id, "url": url, "nonce": nonce, "created_at": now, "next_attempt_at": now}
    statement = insert(webhook).values(**values, told_event_id=_newest_id()).returning(*webhook.c)
    return _to_webhook((await connection.execute(statement)).one())


async def listing(connection: Connection, association_id: int) -> list[Webhook]:
    """Every webhook of an association, oldest first."""
    return await _select(connection, webhook.c.association_id == association_id)


async def get(connection: Connection, association_id: int, webhook_id: int) -> Webhook:
    """Raises NotFound, for another association's webhook as well."""
    found = await _select(connection, (webhook.c.id == webhook_id) & (webhook.c.association_id == association_id))
    if not found:
        raise NotFound("there is no such webhook")
    return found[0]


async def remove(connection: Connection, webhook_id: int) -> None:
    await connection.execute(delete(webhook).where(webhook.c.id == webhook_id))


async def find_due(connection: Connection, now: datetime, limit: int) -> list[Webhook]:
    """Webhooks whose time has come and that may have something to be told, the longest waiting first."""
    is_due = (webhook.c.next_attempt_at <= now) & (webhook.c.told_event_id < _newest_id())
    query = select(webhook).where(is_due).order_by(webhook.c.next_attempt_at, webhook.c.id).limit(limit)
    return [_to_webhook(row) for row in await connection.execute(query)]


async def save(connection: Connection, old: Webhook, new: Webhook) -> bool:
    """Let a webhook stand as `new`, unless it does not stand as `old` any more: then another has taken it up."""
    stands = (
        (webhook.c.id == old.id)
        & (webhook.c.told_event_id == old.told_event_id)
        & (webhook.c.next_attempt_at.is_not_distinct_from(old.next_attempt_at))
    )
    values = {
        "told_event_id": new.told_event_id,
        "next_attempt_at": new.next_attempt_at,
        "failures": new.failures,
        "why": new.why,
    }
    return (await connection.execute(update(webhook).where(stands).values(values))).rowcount == 1


async def read_batch(connection: Connection, one: Webhook, end: int) -> Batch:
    """The next events to be told, none of them beyond the event `end`."""
    until = min(end, one.told_event_id + _MOST_PASSED)
    query = _events_after(one).where(message_event.c.id <= until).order_by(message_event.c.id).limit(MOST_EVENTS)
    events = tuple(Event(*row) for row in await connection.execute(query))
    return Batch(events, events[-1].id if len(events) == MOST_EVENTS else until)


async def count_untold(connection: Connection, one: Webhook) -> int:
    """How many events wait to be told; of very many it is said that they are `MOST_COUNTED`."""
    query = select(func.count()).select_from(_events_after(one).limit(MOST_COUNTED).subquery())
    return int((await connection.execute(query)).scalar_one())


async def find_newest(connection: Connection) -> tuple[int, frozenset[str]]:
    """The number of the newest event, and the transactions that may still commit an older one.

    PostgreSQL gives numbers before it commits: an event can appear behind a newer one. Whoever inserts holds a lock on
    the table from before he takes a number until his transaction is over; once those who hold one now are gone, nothing
    more can appear. On SQLite numbers are given in the order of the commits.
    """
    newest = int((await connection.execute(select(_newest_id()))).scalar_one())
    return newest, await find_writers(connection)


async def find_writers(connection: Connection) -> frozenset[str]:
    """The transactions that may be writing events just now."""
    if connection.dialect.name == "sqlite":
        return frozenset()
    return frozenset((await connection.execute(_WRITERS)).scalars())


def _newest_id() -> ColumnElement[int]:
    return func.coalesce(select(func.max(message_event.c.id)).scalar_subquery(), 0)


def _events_after(one: Webhook) -> Select[Any]:
    event = message_event.c
    columns = (
        event.id,
        event.at,
        event.kind,
        event.message_id,
        message.c.mailing_id,
        message.c.card_id,
        message.c.email,
        event.old,
        event.new,
        event.attempt,
        event.reason,
        event.fault,
        event.code,
        event.enhanced,
        event.text,
    )
    rows = select(*columns).join(message, message.c.id == event.message_id)
    return rows.where(message.c.association_id == one.association_id, event.id > one.told_event_id)


async def _select(connection: Connection, which: ColumnElement[bool]) -> list[Webhook]:
    query = select(webhook).where(which).order_by(webhook.c.id)
    return [_to_webhook(row) for row in await connection.execute(query)]


def _to_webhook(row: Row[*tuple[Any, ...]]) -> Webhook:
    return Webhook(*row)
