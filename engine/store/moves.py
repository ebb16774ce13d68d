"""A move of a message as a value, and the two statements that make a whole batch of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Insert,
    Integer,
    Select,
    Subquery,
    Text,
    Update,
    func,
    insert,
    null,
    or_,
    select,
    update,
)

from config.vocabulary import EventKind, Fault, MessageStatus, Reason, Reply
from engine.store.batches import Columns, batch, gathered
from engine.store.database import Connection
from engine.store.tables import message, message_event, to_microseconds
from engine.store.words import storable

_NO_REPLY = Reply(0)


class Move(NamedTuple):
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
    asked = batch(connection, _CHANGE)
    rows = [_to_change(one) for one in moves]
    standing = await connection.execute(_select_standing(connection.dialect.name, asked), {"rows": rows})
    moved = {message_id for (message_id,) in standing.scalar() or []}
    await connection.execute(_update(asked), {"rows": rows})
    await write_events(connection, [one for one in moves if one.message_id in moved])
    return moved


async def write_events(connection: Connection, moves: Sequence[Move]) -> None:
    """Write the events of some moves and nothing else."""
    if moves:
        await connection.execute(_insert(batch(connection, _EVENT)), {"rows": [_to_event(one) for one in moves]})


@cache
def _select_standing(dialect: str, moves: Subquery) -> Select[Any]:
    """Which messages stand as their moves say; they are held so until the transaction ends."""
    standing = select(message.c.id).join(moves, _stands(moves)).with_for_update(of=message).subquery()
    return select(gathered(dialect, standing.c.id))


@cache
def _update(moves: Subquery) -> Update:
    return (
        update(message)
        .where(_stands(moves))
        .values(
            status=moves.c.new,
            reason=moves.c.reason,
            next_attempt_at=moves.c.next_attempt_at,
            lease=null(),
            last_reply=func.coalesce(moves.c.last_reply, message.c.last_reply),
            updated_at=moves.c.at,
        )
    )


def _stands(moves: Subquery) -> ColumnElement[bool]:
    mine = or_(moves.c.lease.is_(None), message.c.lease == moves.c.lease)
    return (message.c.id == moves.c.message_id) & (message.c.status == moves.c.old) & mine


@cache
def _insert(moves: Subquery) -> Insert:
    return insert(message_event).from_select(list(_EVENT), select(*(moves.c[name] for name in _EVENT)))


_CHANGE: Columns = {
    "message_id": BigInteger(),
    "old": Text(),
    "lease": Text(),
    "new": Text(),
    "reason": Text(),
    "next_attempt_at": BigInteger(),
    "last_reply": Text(),
    "at": BigInteger(),
}


def _to_change(one: Move) -> list[object]:
    """What a move makes of its message, in the order of `_CHANGE`."""
    return [
        one.message_id,
        one.old,
        one.lease,
        one.new,
        one.reason,
        None if one.next_attempt_at is None else to_microseconds(one.next_attempt_at),
        storable(str(one.reply)) or None,
        to_microseconds(one.at),
    ]


_EVENT: Columns = {
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
}


def _to_event(one: Move) -> list[object]:
    """The line that a move leaves in the history, in the order of `_EVENT`."""
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
        one.reply.code,
        str(one.reply.enhanced or ""),
        storable(one.reply.text),
        one.host,
        one.tls,
        one.report_id,
    ]
