"""Messages and their histories, read as they stand; `messages` is the one door for changing them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select

from config.vocabulary import EventKind, Fault, MessageStatus, Reason
from engine.store.database import Connection
from engine.store.tables import mailing, message, message_event


@dataclass(frozen=True, slots=True)
class Message:
    """One mail to one member, as the row stands."""

    message_id: int
    mailing_id: int
    association_id: int
    card_id: int
    email: str
    address_key: str
    domain: str
    status: MessageStatus
    attempts: int
    created_at: datetime
    first_attempt_at: datetime | None
    next_attempt_at: datetime | None
    lease: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a message's history."""

    at: datetime
    kind: EventKind
    old: MessageStatus
    new: MessageStatus
    attempt: int
    reason: Reason
    fault: Fault
    rule: str
    code: int
    enhanced: str
    text: str
    host: str
    tls: str
    report_id: int | None


async def get(connection: Connection, message_id: int, *, for_update: bool = False) -> Message | None:
    """One message, or None; `for_update` keeps it as it is until the transaction ends."""
    found = await select_messages(connection, message.c.id == message_id, for_update=for_update)
    return found[0] if found else None


async def get_many(
    connection: Connection, message_ids: Collection[int], *, for_update: bool = False
) -> dict[int, Message]:
    """Those of some messages that there are, by number."""
    if not message_ids:
        return {}
    found = await select_messages(connection, message.c.id.in_(message_ids), for_update=for_update)
    return {one.message_id: one for one in found}


async def select_messages(
    connection: Connection, which: ColumnElement[bool], *, for_update: bool = False
) -> list[Message]:
    """The messages of a condition, oldest first."""
    query = select(*_MESSAGE_COLUMNS).where(which).order_by(message.c.id)
    rows = await connection.execute(query.with_for_update() if for_update else query)
    return [_to_message(row) for row in rows]


async def delayed_since(connection: Connection, before: datetime) -> list[Message]:
    """What a server on the way said to be late with before an instant, and nothing was heard of since.

    Every mailing is named, so that the index of mailing and status serves.
    """
    late = (message.c.status == MessageStatus.DEFERRED) & message.c.next_attempt_at.is_(None)
    late &= message.c.mailing_id.in_(select(mailing.c.id)) & (message.c.updated_at < before)
    return await select_messages(connection, late)


async def events_of(connection: Connection, message_id: int) -> list[Event]:
    """The history of a message, oldest first."""
    query = select(*(message_event.c[name] for name in Event.__slots__))
    rows = await connection.execute(query.where(message_event.c.message_id == message_id).order_by(message_event.c.id))
    return [
        Event(
            row.at,
            EventKind(row.kind),
            MessageStatus(row.old),
            MessageStatus(row.new),
            row.attempt,
            Reason(row.reason),
            Fault(row.fault),
            *row[7:],
        )
        for row in rows
    ]


async def counts(connection: Connection, mailing_id: int) -> dict[MessageStatus, int]:
    """How many messages of a mailing stand where; statuses of none are left out."""
    query = select(message.c.status, func.count()).where(message.c.mailing_id == mailing_id).group_by(message.c.status)
    return {MessageStatus(status): count for status, count in await connection.execute(query)}


_MESSAGE_COLUMNS = [message.c.id, *(message.c[name] for name in Message.__slots__[1:])]


def _to_message(row: Row[Any]) -> Message:
    return Message(
        row.id,
        row.mailing_id,
        row.association_id,
        row.card_id,
        row.email,
        row.address_key,
        row.domain,
        MessageStatus(row.status),
        row.attempts,
        row.created_at,
        row.first_attempt_at,
        row.next_attempt_at,
        row.lease,
    )
