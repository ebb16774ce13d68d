"""Consent: who was asked, who confirmed, and the ledger of it, which only grows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, literal, select

from config.vocabulary import AddressStatus, ConsentKind, MailingKind, MessageStatus
from engine.store.card_status import Turn, turn, turn_where
from engine.store.cards import choose
from engine.store.columns import Instant
from engine.store.database import Connection
from engine.store.filters import Filter
from engine.store.tables import association, card, consent_event, mailing, message

_REQUESTS_A_DAY = 3
_CARDS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Consent:
    """One entry of the ledger."""

    card_id: int
    address_key: str
    kind: ConsentKind
    how: str
    text_version: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """What one confirmation request asked, and how the card stands now."""

    association_id: int
    association: str
    card_id: int
    asked_email: str
    asked_key: str
    address_key: str
    status: AddressStatus


def askable(association_id: int, chosen: Filter, now: datetime) -> Select[Any]:
    """The cards of a view to send a confirmation request to: unconfirmed, with an address, and not asked too often.

    An address is asked at most three times a day, by all associations together.
    """
    asked_often = (
        select(message.c.address_key)
        .join(mailing, mailing.c.id == message.c.mailing_id)
        .where(mailing.c.kind == MailingKind.CONFIRMATION, message.c.created_at > now - timedelta(days=1))
        .group_by(message.c.address_key)
        .having(func.count() >= _REQUESTS_A_DAY, message.c.address_key != "")
    )
    unconfirmed = choose(association_id, chosen, [AddressStatus.UNCONFIRMED])
    return unconfirmed.where(card.c.email != "", card.c.address_key.not_in(asked_often))


async def count_without_address(connection: Connection, association_id: int, chosen: Filter) -> int:
    """How many unconfirmed cards of a view have no address to ask."""
    nowhere = choose(association_id, chosen, [AddressStatus.UNCONFIRMED]).where(card.c.email == "")
    return (await connection.execute(select(func.count()).select_from(nowhere.subquery()))).scalar_one()


async def mark_requested(connection: Connection, mailing_id: int, text_version: str, now: datetime) -> None:
    """Note that every queued recipient of a confirmation request has been asked."""
    queued = select(message.c.card_id).where(
        message.c.mailing_id == mailing_id, message.c.status == MessageStatus.QUEUED
    )
    asked = card.c.id.in_(queued) & (card.c.status == AddressStatus.UNCONFIRMED)
    await note_where(connection, asked, ConsentKind.REQUESTED, f"mailing {mailing_id}", now, text_version=text_version)
    await turn_where(connection, asked, AddressStatus.REQUESTED, now)


async def question(connection: Connection, message_id: int) -> Question | None:
    """What a confirmation request asked; None where the message is no such request."""
    query = (
        select(
            message.c.association_id,
            association.c.name,
            card.c.id,
            message.c.email,
            message.c.address_key.label("asked_key"),
            card.c.address_key,
            card.c.status,
        )
        .join(mailing, mailing.c.id == message.c.mailing_id)
        .join(card, card.c.id == message.c.card_id)
        .join(association, association.c.id == message.c.association_id)
        .where(message.c.id == message_id, mailing.c.kind == MailingKind.CONFIRMATION)
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Question(*row[:6], AddressStatus(row.status))


async def mark_confirmed(connection: Connection, asked: Question, how: str, text_version: str, now: datetime) -> bool:
    """Confirm the address of the card where it is still the one that was asked and waits for an answer."""
    if not await turn(connection, [Turn(asked.card_id, asked.asked_key, AddressStatus.CONFIRMED)], now):
        return False
    this = card.c.id == asked.card_id
    await note_where(connection, this, ConsentKind.CONFIRMED, how, now, text_version=text_version)
    return True


async def note_reset(connection: Connection, card_ids: Sequence[int], how: str, now: datetime) -> None:
    """Note that what was consented for the addresses on cards ends; to be called before they are changed."""
    for start in range(0, len(card_ids), _CARDS_AT_ONCE):
        some = card_ids[start : start + _CARDS_AT_ONCE]
        await note_where(connection, card.c.id.in_(some), ConsentKind.RESET, how, now)


async def note_where(
    connection: Connection,
    which: ColumnElement[bool],
    kind: ConsentKind,
    how: str,
    now: datetime,
    *,
    text_version: str = "",
) -> None:
    """Note the same for every card of a condition."""
    rows = select(
        card.c.association_id,
        card.c.id,
        card.c.address_key,
        literal(kind.value),
        literal(how),
        literal(text_version),
        literal(now, Instant()),
    ).where(which)
    columns = ["association_id", "card_id", "address_key", "kind", "how", "text_version", "at"]
    await connection.execute(insert(consent_event).from_select(columns, rows))


async def note_withdrawn(connection: Connection, card_ids: Collection[int], how: str, now: datetime) -> None:
    """Note that members asked for no more."""
    await note_where(connection, card.c.id.in_(card_ids), ConsentKind.WITHDRAWN, how, now)


async def ledger(connection: Connection, card_id: int) -> list[Consent]:
    """Every entry about a card, oldest first."""
    query = select(consent_event).where(consent_event.c.card_id == card_id).order_by(consent_event.c.id)
    return [
        Consent(row.card_id, row.address_key, ConsentKind(row.kind), row.how, row.text_version, row.at)
        for row in await connection.execute(query)
    ]
