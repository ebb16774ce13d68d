"""A small association with cards and a mailing, for tests of everything that works on rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from sqlalchemy import Select, select, update

from config.vocabulary import AddressStatus, BodyFormat, MailingKind, MailingState
from engine.store import associations, cards, mailings, messages, offices, users
from engine.store.cards import Content
from engine.store.database import Connection
from engine.store.message_rows import Message, select_messages
from engine.store.tables import card, message

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Association:
    """An association whose every card is confirmed."""

    id: int
    office_id: int
    user_id: int
    cards: tuple[int, ...]


async def make_association(connection: Connection, emails: Sequence[str], now: datetime = NOW) -> Association:
    number = next(_numbers)
    made = await associations.create(connection, f"Förening {number}", f"forening-{number}", [], now)
    office = await offices.create(connection, made.id, "Kansliet", now)
    user = await users.create(
        connection, made.id, name="Siv", email=f"siv-{number}@example.org", password_hash=None, now=now
    )
    contents = [
        Content("Ida", f"Berg {place}", email, email.lower() if "@" in email else "")
        for place, email in enumerate(emails)
    ]
    numbers = await cards.add(connection, made.id, contents, now)
    confirm = update(card).where(card.c.association_id == made.id).values(status=AddressStatus.CONFIRMED)
    await connection.execute(confirm)
    return Association(made.id, office.id, user.id, tuple(numbers))


async def make_mailing(connection: Connection, sender: Association, now: datetime = NOW) -> int:
    """A mailing of the association that is being sent, with no message yet."""
    words = await mailings.sender_of(connection, sender.id, sender.office_id, sender.user_id)
    made = await mailings.create(
        connection,
        sender.id,
        sender.office_id,
        sender.user_id,
        kind=MailingKind.MAILING,
        subject="Hej",
        body="Hej %NAME%",
        body_format=BodyFormat.PLAIN,
        sender=words,
        now=now,
    )
    await mailings.turn(connection, made.id, [MailingState.DRAFT], MailingState.SENDING)
    return made.id


async def queue_mailing(connection: Connection, sender: Association, now: datetime = NOW) -> int:
    """A mailing with a message for every card of the association."""
    mailing_id = await make_mailing(connection, sender, now)
    await messages.enqueue(connection, mailing_id, cards_of(sender), now)
    return mailing_id


def cards_of(sender: Association) -> Select[Any]:
    return select(card).where(card.c.association_id == sender.id)


async def messages_of(connection: Connection, mailing_id: int) -> list[Message]:
    """In the order of their cards."""
    return sorted(await select_messages(connection, message.c.mailing_id == mailing_id), key=lambda one: one.card_id)


async def card_status(connection: Connection, card_id: int) -> AddressStatus:
    return AddressStatus((await connection.execute(select(card.c.status).where(card.c.id == card_id))).scalar_one())
