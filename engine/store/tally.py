"""Every message over its whole life, read only: what it has ever been, and what receivers said as it became so."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import func, select, union

from config.vocabulary import MessageStatus
from engine.store.database import Connection
from engine.store.tables import message_event


async def ever(connection: Connection) -> dict[int, frozenset[MessageStatus]]:
    """For every message, each status that it has had, the present one among them."""
    query = union(
        select(message_event.c.message_id, message_event.c.old), select(message_event.c.message_id, message_event.c.new)
    )
    seen: defaultdict[int, set[MessageStatus]] = defaultdict(set)
    for message_id, status in await connection.execute(query):
        seen[message_id].add(MessageStatus(status))
    return {message_id: frozenset(statuses) for message_id, statuses in seen.items()}


async def examples(connection: Connection) -> dict[MessageStatus, str]:
    """For each status, the words of the first receiver that made a message so; none where nobody has said a word."""
    spoken = select(func.min(message_event.c.id)).where(
        message_event.c.text != "", message_event.c.old != message_event.c.new
    )
    query = select(message_event.c.new, message_event.c.text).where(
        message_event.c.id.in_(spoken.group_by(message_event.c.new))
    )
    return {MessageStatus(status): text for status, text in await connection.execute(query)}
