"""What time alone settles."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.vocabulary import EventKind, Fault, MessageStatus, Reason
from engine.store import message_rows, messages
from engine.store.database import Connection
from engine.store.messages import Move
from engine.store.waiting import sweep_cancelled

SILENCE_MEANS_DELIVERED_AFTER = timedelta(days=6)
"""Servers give up after 4 to 5 days and say so (RFC 5321 4.5.4.1); who has said nothing by then has delivered."""


async def tidy(connection: Connection, now: datetime) -> int:
    """Settle all of it; returns how many messages moved. Cheap enough to be called every minute."""
    return await settle_delayed(connection, now) + await sweep_cancelled(connection, now)


async def settle_delayed(connection: Connection, now: datetime) -> int:
    """Let mail whose delay was announced, and whose failure was not, be `sent` again; returns how many."""
    late = await message_rows.delayed_since(connection, now - SILENCE_MEANS_DELIVERED_AFTER)
    moves = [
        Move(one.message_id, one.status, MessageStatus.SENT, now, Reason.DELIVERED, Fault.NONE, kind=EventKind.MOVE)
        for one in late
    ]
    return len(await messages.move(connection, moves))
