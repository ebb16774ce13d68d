"""What became of everything, read only: mailings with their counts, the messages of one, and the whole story of one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select

from config.vocabulary import BodyFormat, MailingKind, MailingState, MessageStatus
from engine.errors import NotFound
from engine.lifecycle import count_waiting, state_of
from engine.store.database import Connection
from engine.store.mailings import Sender
from engine.store.tables import association, mailing, message, message_event

Counts = dict[MessageStatus, int]


@dataclass(frozen=True, slots=True)
class MailingRow:
    """One mailing and how many of its messages stand where; `skipped` counts the cards that got no mail, by status."""

    id: int
    association_id: int
    kind: MailingKind
    subject: str
    body: str
    format: BodyFormat
    state: MailingState
    sender: Sender
    skipped: dict[str, int]
    created_at: datetime
    sent_at: datetime | None
    counts: Counts = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def waiting(self) -> int:
        """How many of its messages may still be tried."""
        return count_waiting(self.counts)


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One mail to one member, as it stands now."""

    id: int
    mailing_id: int
    association_id: int
    card_id: int
    email: str
    first_name: str
    last_name: str
    status: MessageStatus
    reason: str | None
    attempts: int
    created_at: datetime
    first_attempt_at: datetime | None
    next_attempt_at: datetime | None
    updated_at: datetime
    last_reply: str | None
    site: str | None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One thing that happened to a message, with the receiver's own words."""

    id: int
    at: datetime
    kind: str
    old: MessageStatus
    new: MessageStatus
    attempt: int
    reason: str
    fault: str
    rule: str
    code: int
    enhanced: str
    text: str
    host: str
    tls: str
    report_id: int | None


@dataclass(frozen=True, slots=True)
class Linked:
    """What a link in a mail is about: whose mail it was, and to which address."""

    message_id: int
    association: str
    email: str
    status: MessageStatus


async def mailings(
    connection: Connection, association_id: int, *, before_id: int | None = None, limit: int = 50
) -> list[MailingRow]:
    """The mailings and confirmation requests of an association, newest first, each with its counts."""
    query = select(mailing).where(mailing.c.association_id == association_id)
    if before_id is not None:
        query = query.where(mailing.c.id < before_id)
    rows = (await connection.execute(query.order_by(mailing.c.id.desc()).limit(limit))).all()
    counts = await _counts(connection, [row.id for row in rows])
    return [_to_mailing(row, counts[row.id]) for row in rows]


async def one_mailing(connection: Connection, association_id: int, mailing_id: int) -> MailingRow:
    """Raises NotFound, for another association's mailing as well."""
    query = select(mailing).where(mailing.c.id == mailing_id, mailing.c.association_id == association_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound("there is no such mailing")
    return _to_mailing(row, (await _counts(connection, [row.id]))[row.id])


async def any_mailing(connection: Connection, mailing_id: int) -> MailingRow:
    """A mailing of whatever association, for who keeps the installation. Raises NotFound."""
    row = (await connection.execute(select(mailing).where(mailing.c.id == mailing_id))).one_or_none()
    if row is None:
        raise NotFound("there is no such mailing")
    return _to_mailing(row, (await _counts(connection, [mailing_id]))[mailing_id])


async def messages(
    connection: Connection,
    mailing_id: int,
    *,
    statuses: Iterable[MessageStatus] = (),
    after_id: int = 0,
    limit: int = 100,
) -> list[MessageRow]:
    """The messages of a mailing in the order they were written down; of some statuses only, where they are named."""
    query = select(message).where(message.c.mailing_id == mailing_id, message.c.id > after_id)
    if wanted := list(statuses):
        query = query.where(message.c.status.in_(wanted))
    return await _read_messages(connection, query.order_by(message.c.id).limit(limit))


async def messages_of_card(connection: Connection, card_id: int, *, limit: int = 50) -> list[MessageRow]:
    """What was sent to a member, newest first."""
    query = select(message).where(message.c.card_id == card_id).order_by(message.c.id.desc()).limit(limit)
    return await _read_messages(connection, query)


async def messages_to(connection: Connection, address_key: str, *, limit: int = 50) -> list[MessageRow]:
    """What was sent to an address by whatever association, newest first."""
    query = select(message).where(message.c.address_key == address_key).order_by(message.c.id.desc()).limit(limit)
    return await _read_messages(connection, query)


async def one_message(connection: Connection, association_id: int, message_id: int) -> MessageRow:
    """Raises NotFound, for another association's message as well."""
    query = select(message).where(message.c.id == message_id, message.c.association_id == association_id)
    found = await _read_messages(connection, query)
    if not found:
        raise NotFound("there is no such message")
    return found[0]


async def linked(connection: Connection, message_id: int) -> Linked:
    """What a link in a message is about. Raises NotFound once the message is erased."""
    query = (
        select(message.c.id, association.c.name, message.c.email, message.c.status)
        .join(association, association.c.id == message.c.association_id)
        .where(message.c.id == message_id)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound("there is no such message")
    return Linked(row.id, row.name, row.email, MessageStatus(row.status))


async def message_for_card(connection: Connection, mailing_id: int, card_id: int) -> MessageRow | None:
    """The message of a mailing to one member, or None where the member was no recipient."""
    query = select(message).where(message.c.mailing_id == mailing_id, message.c.card_id == card_id)
    found = await _read_messages(connection, query)
    return found[0] if found else None


async def events(connection: Connection, message_id: int) -> list[EventRow]:
    """Everything that happened to a message, in order."""
    query = select(message_event).where(message_event.c.message_id == message_id).order_by(message_event.c.id)
    return [_to_event(row) for row in await connection.execute(query)]


async def count_messages(connection: Connection) -> Counts:
    """How many messages of the whole installation stand where."""
    query = select(message.c.status, func.count()).group_by(message.c.status)
    return {MessageStatus(status): count for status, count in await connection.execute(query)}


async def _counts(connection: Connection, mailing_ids: list[int]) -> defaultdict[int, Counts]:
    counts: defaultdict[int, Counts] = defaultdict(dict)
    query = (
        select(message.c.mailing_id, message.c.status, func.count())
        .where(message.c.mailing_id.in_(mailing_ids))
        .group_by(message.c.mailing_id, message.c.status)
    )
    for mailing_id, status, count in await connection.execute(query):
        counts[mailing_id][MessageStatus(status)] = count
    return counts


async def _read_messages(connection: Connection, query: Select[Any]) -> list[MessageRow]:
    return [_to_message(row) for row in await connection.execute(query)]


def _to_mailing(row: Row[Any], counts: Counts) -> MailingRow:
    return MailingRow(
        id=row.id,
        association_id=row.association_id,
        kind=MailingKind(row.kind),
        subject=row.subject,
        body=row.body,
        format=BodyFormat(row.format),
        state=state_of(MailingState(row.state), counts),
        sender=Sender(**row.sender),
        skipped=row.skipped,
        created_at=row.created_at,
        sent_at=row.sent_at,
        counts={status: counts[status] for status in MessageStatus if status in counts},
    )


def _to_message(row: Row[Any]) -> MessageRow:
    return MessageRow(
        id=row.id,
        mailing_id=row.mailing_id,
        association_id=row.association_id,
        card_id=row.card_id,
        email=row.email,
        first_name=row.first_name,
        last_name=row.last_name,
        status=MessageStatus(row.status),
        reason=row.reason,
        attempts=row.attempts,
        created_at=row.created_at,
        first_attempt_at=row.first_attempt_at,
        next_attempt_at=row.next_attempt_at,
        updated_at=row.updated_at,
        last_reply=row.last_reply,
        site=row.site,
    )


def _to_event(row: Row[Any]) -> EventRow:
    return EventRow(
        id=row.id,
        at=row.at,
        kind=row.kind,
        old=MessageStatus(row.old),
        new=MessageStatus(row.new),
        attempt=row.attempt,
        reason=row.reason,
        fault=row.fault,
        rule=row.rule,
        code=row.code,
        enhanced=row.enhanced,
        text=row.text,
        host=row.host,
        tls=row.tls,
        report_id=row.report_id,
    )
