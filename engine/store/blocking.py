"""A suppression reaches the mail that still waits: it becomes `blocked`, and so do its cards."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from config.vocabulary import AddressStatus, Fault, MessageStatus, Reason
from engine.store.card_status import turn_where
from engine.store.database import Connection
from engine.store.messages import move_waiting
from engine.store.tables import card, message


async def block_waiting(
    connection: Connection, address_keys: Collection[str], association_id: int | None, now: datetime
) -> int:
    """Block what waits for some addresses, of one association or (None) of all; returns how many.

    A card that already says what is wrong with its address keeps saying so. What is under way is caught at its next
    claim.
    """
    waits = message.c.address_key.in_(address_keys) & message.c.next_attempt_at.is_not(None)
    if association_id is not None:
        waits &= message.c.association_id == association_id
    told_already = [status for status in AddressStatus if status.is_problem]
    of_waiting = card.c.id.in_(select(message.c.card_id).where(waits, message.c.lease.is_(None)))
    untold = of_waiting & card.c.address_key.in_(address_keys) & card.c.status.not_in(told_already)
    await turn_where(connection, untold, AddressStatus.PROBLEM_BLOCKED, now)
    return await move_waiting(
        connection, waits, MessageStatus.BLOCKED, now, reason=Reason.KNOWN_BAD, fault=Fault.RECIPIENT_ADDRESS
    )
