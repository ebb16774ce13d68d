"""A move of a message as a value, and the two statements that make a whole batch of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from sqlalchemy import BigInteger, Insert, Integer, Subquery, Text, Update, func, insert, null, or_, select, update

from config.vocabulary import EventKind, Fault, MessageStatus, Reason, Reply
from engine.store.batches import Columns, batch
from engine.store.database import Connection
from engine.store.tables import message, message_event, to_microseconds
from engine.store.words import storable

_NO_REPLY = Reply(0)


@dataclass(frozen=True, slots=True)
class Move:
    """One message from one status to another: why, in whose words, and when it is due again (None: never).

    `lease` names the attempt that must still be under way; None asks nothing of the lease. A move always ends it.
    """

    message_id: int
    old: MessageStatus
    new: MessageStatus
    at: datetime
    reason: Reason
    fault: Fault = Fault.NONE
    rule: str = ""
    reply: Reply = _NO_REPLY
    host: str = ""
    tls: str = ""
    attempt: int = 0
    stage: str = ""
    kind: EventKind = EventKind.MOVE
    lease: str | None = None
    next_attempt_at: datetime | None = None
    report_id: int | None = None


async def write_moves(connection: Connection, moves: Sequence[Move]) -> set[int]:
    """Move the messages that still stand as their moves say, and write their events; returns which moved."""
    if not moves:
        return set()
    rows = {one.message_id: _row(one) for one in moves}
    statement = _update(batch(connection, _COLUMNS))
    moved = set((await connection.execute(statement, {"rows": list(rows.values())})).scalars())
    await _write_events(connection, [row for message_id, row in rows.items() if message_id in moved])
    return moved


async def write_events(connection: Connection, moves: Iterable[Move]) -> None:
    """Write the events of some moves and nothing else."""
    await _write_events(connection, [_row(one) for one in moves])


async def _write_events(connection: Connection, rows: Sequence[list[object]]) -> None:
    if rows:
        await connection.execute(_insert(batch(connection, _COLUMNS)), {"rows": rows})


@cache
def _update(moves: Subquery) -> Update:
    mine = or_(moves.c.lease.is_(None), message.c.lease == moves.c.lease)
    return (
        update(message)
        .where(message.c.id == moves.c.message_id, message.c.status == moves.c.old, mine)
        .values(
            status=moves.c.new,
            reason=moves.c.reason,
            next_attempt_at=moves.c.next_attempt_at,
            lease=null(),
            last_reply=func.coalesce(moves.c.last_reply, message.c.last_reply),
            updated_at=moves.c.at,
        )
        .returning(message.c.id)
    )


@cache
def _insert(moves: Subquery) -> Insert:
    columns = [name for name in _COLUMNS if name in message_event.c]
    return insert(message_event).from_select(columns, select(*(moves.c[name] for name in columns)))


_COLUMNS: Columns = {
    "message_id": BigInteger(),
    "at": BigInteger(),
    "kind": Text(),
    "old": Text(),
    "new": Text(),
    "attempt": Integer(),
    "stage": Text(),
    "reason": Text(),
    "fault": Text(),
    "rule": Text(),
    "code": Integer(),
    "enhanced": Text(),
    "text": Text(),
    "host": Text(),
    "tls": Text(),
    "report_id": BigInteger(),
    "lease": Text(),
    "next_attempt_at": BigInteger(),
    "last_reply": Text(),
}


def _row(one: Move) -> list[object]:
    """A move as the batch carries it, in the order of `_COLUMNS`."""
    said = one.reply
    if (text := storable(said.text)) is not said.text:
        said = replace(said, text=text)
    return [
        one.message_id,
        to_microseconds(one.at),
        one.kind,
        one.old,
        one.new,
        one.attempt,
        one.stage,
        one.reason,
        one.fault,
        one.rule,
        said.code,
        str(said.enhanced or ""),
        said.text,
        one.host,
        one.tls,
        one.report_id,
        one.lease,
        None if one.next_attempt_at is None else to_microseconds(one.next_attempt_at),
        str(said) or None,
    ]
