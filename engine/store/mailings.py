"""The mailings: written as drafts, sent once, paused, resumed and cancelled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NoReturn

from sqlalchemy import Row, delete, insert, or_, select, update

from config.vocabulary import BodyFormat, MailingKind, MailingState, MessageStatus, Reason
from engine.errors import InvalidInput, NotFound
from engine.store.database import Connection
from engine.store.messages import move_waiting
from engine.store.tables import association, mailing, message, office, user


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, from which office and for which association, as it stood when the mailing was made."""

    association: str
    slug: str
    office: str
    user: str
    user_email: str


@dataclass(frozen=True, slots=True)
class Mailing:
    """One mailing or confirmation request; `skipped` counts the cards of the view that got no mail, by reason."""

    id: int
    association_id: int
    office_id: int
    user_id: int
    kind: MailingKind
    subject: str
    body: str
    format: BodyFormat
    state: MailingState
    skipped: dict[str, int]
    sender: Sender
    created_at: datetime
    sent_at: datetime | None


async def sender_of(connection: Connection, association_id: int, office_id: int, user_id: int) -> Sender:
    """The words for who sends. Raises InvalidInput where office or user are not the association's (operators may)."""
    query = (
        select(association.c.name, association.c.slug, office.c.name, user.c.name, user.c.email)
        .join(office, office.c.association_id == association.c.id)
        .join(user, or_(user.c.association_id == association.c.id, user.c.association_id.is_(None)))
        .where(association.c.id == association_id, office.c.id == office_id, user.c.id == user_id)
    )
    row = (await connection.execute(query)).one_or_none()
    return Sender(*row) if row else await _refuse_sender(connection, association_id, office_id)


async def _refuse_sender(connection: Connection, association_id: int, office_id: int) -> NoReturn:
    """Raise InvalidInput for the office, or else for the user."""
    office_of_it = select(office.c.id).where(office.c.id == office_id, office.c.association_id == association_id)
    if (await connection.execute(office_of_it)).first() is None:
        raise InvalidInput("office_id", "the association has no such office; give one of its offices")
    raise InvalidInput("user_id", "the association has no such user; give one of its users")


async def create(
    connection: Connection,
    association_id: int,
    office_id: int,
    user_id: int,
    *,
    kind: MailingKind,
    subject: str,
    body: str,
    body_format: BodyFormat,
    sender: Sender,
    now: datetime,
) -> Mailing:
    """Write down a draft."""
    values = {
        "association_id": association_id,
        "office_id": office_id,
        "user_id": user_id,
        "kind": kind,
        "subject": subject,
        "body": body,
        "format": body_format,
        "state": MailingState.DRAFT,
        "skipped": {},
        "sender": asdict(sender),
        "created_at": now,
    }
    return _to_mailing((await connection.execute(insert(mailing).values(values).returning(mailing))).one())


async def get(connection: Connection, mailing_id: int, association_id: int | None = None) -> Mailing:
    """Raises NotFound, for another association's mailing as well where an association is given."""
    query = select(mailing).where(mailing.c.id == mailing_id)
    if association_id is not None:
        query = query.where(mailing.c.association_id == association_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound("there is no such mailing")
    return _to_mailing(row)


async def rewrite(connection: Connection, mailing_id: int, subject: str, body: str, body_format: BodyFormat) -> bool:
    """Change a draft; False where it is none any more."""
    values = {"subject": subject, "body": body, "format": body_format}
    statement = update(mailing).where(mailing.c.id == mailing_id, mailing.c.state == MailingState.DRAFT).values(values)
    return (await connection.execute(statement)).rowcount == 1


async def remove_draft(connection: Connection, mailing_id: int) -> bool:
    """Throw a draft away; False where it is none any more."""
    statement = delete(mailing).where(mailing.c.id == mailing_id, mailing.c.state == MailingState.DRAFT)
    return (await connection.execute(statement)).rowcount == 1


async def turn(connection: Connection, mailing_id: int, olds: Collection[MailingState], new: MailingState) -> bool:
    """Move a mailing from one of some states to another; False where it stands in none of them."""
    statement = update(mailing).where(mailing.c.id == mailing_id, mailing.c.state.in_(olds)).values(state=new)
    return (await connection.execute(statement)).rowcount == 1


async def stopped_of(connection: Connection, mailing_ids: Collection[int]) -> frozenset[int]:
    """Those of some mailings that are not being sent any more."""
    if not mailing_ids:
        return frozenset()
    query = select(mailing.c.id).where(mailing.c.id.in_(mailing_ids), mailing.c.state != MailingState.SENDING)
    return frozenset((await connection.execute(query)).scalars())


async def note_sent(
    connection: Connection, mailing_id: int, sender: Sender, skipped: Mapping[str, int], now: datetime
) -> None:
    """Keep what a mailing says of its sender for ever, and who was left out."""
    values = {"sender": asdict(sender), "skipped": dict(skipped), "sent_at": now}
    await connection.execute(update(mailing).where(mailing.c.id == mailing_id).values(values))


async def cancel_waiting(connection: Connection, mailing_id: int, now: datetime) -> int:
    """Take what has not left, and is not leaving this moment, out of the queue; returns how many messages."""
    rest = (message.c.mailing_id == mailing_id) & message.c.next_attempt_at.is_not(None)
    return await move_waiting(connection, rest, MessageStatus.NONE, now, reason=Reason.CANCELLED)


def _to_mailing(row: Row[Any]) -> Mailing:
    return Mailing(
        id=row.id,
        association_id=row.association_id,
        office_id=row.office_id,
        user_id=row.user_id,
        kind=MailingKind(row.kind),
        subject=row.subject,
        body=row.body,
        format=BodyFormat(row.format),
        state=MailingState(row.state),
        skipped=row.skipped,
        sender=Sender(**row.sender),
        created_at=row.created_at,
        sent_at=row.sent_at,
    )
