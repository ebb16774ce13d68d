"""Everything that is known of a person's address, in one piece."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from engine.store.database import Connection
from engine.store.tables import (
    address,
    association,
    card,
    consent_event,
    mailing,
    message,
    message_event,
    report,
    suppression,
)

Facts = dict[str, list[dict[str, Any]]]


async def facts_about(connection: Connection, address_key: str) -> Facts:
    """Cards, consent, mails with their histories, returned mail, suppressions: rows as they stand, oldest first."""
    mine = message.c.address_key == address_key
    numbers = select(message.c.id).where(mine)
    own = [column for column in card.c if column is not card.c.folded]
    kept = [column for column in report.c if column is not report.c.raw]
    queries: dict[str, Select[Any]] = {
        "cards": select(association.c.name.label("association"), *own)
        .join(association, association.c.id == card.c.association_id)
        .where(card.c.address_key == address_key)
        .order_by(card.c.id),
        "consent": select(consent_event).where(consent_event.c.address_key == address_key).order_by(consent_event.c.id),
        "messages": select(mailing.c.subject, *message.c)
        .join(mailing, mailing.c.id == message.c.mailing_id)
        .where(mine)
        .order_by(message.c.id),
        "events": select(message_event).where(message_event.c.message_id.in_(numbers)).order_by(message_event.c.id),
        "returned_mail": select(*kept).where(report.c.message_id.in_(numbers)).order_by(report.c.id),
        "suppressions": select(suppression).where(suppression.c.address_key == address_key).order_by(suppression.c.id),
        "address": select(address).where(address.c.address_key == address_key),
    }
    return {name: await _read(connection, query) for name, query in queries.items()}


async def _read(connection: Connection, query: Select[Any]) -> list[dict[str, Any]]:
    rows = (await connection.execute(query)).mappings()
    return [{str(name): value for name, value in row.items()} for row in rows]
