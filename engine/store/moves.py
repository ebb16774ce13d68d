"""A move of a message as a value, and the statements that make a whole batch of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Insert,
    Integer,
    Select,
    Subquery,
    Text,
    Update,
    bindparam,
    func,
    insert,
    null,
    select,
    update,
)

from config.vocabulary import EnhancedStatus, EventKind, Fault, MessageStatus, Reason, Reply
from engine.store.batches import Columns, batch, gathered
from engine.store.columns import to_microseconds
from engine.store.database import Connection
from engine.store.tables import message, message_event
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
    write = _write_at_once if connection.dialect.name == "postgresql" else _write_by_steps
    moved: set[int] = set()
    for common, alike in _group(moves).items():
        moved |= await write(connection, common, alike)
    return moved


async def write_events(connection: Connection, moves: Sequence[Move]) -> None:
    """Write the events of some moves and nothing else."""
    statement = _insert(batch(connection, _ROW))
    for common, alike in _group(moves).items():
        await connection.execute(statement, _parameters(common, alike))


async def _write_at_once(connection: Connection, common: _Common, moves: Sequence[Move]) -> set[int]:
    """PostgreSQL moves, writes the events of what moved and tells which did, in one statement."""
    found = await connection.execute(_move_and_tell(batch(connection, _ROW)), _parameters(common, moves))
    return {message_id for (message_id,) in found.scalar() or []}


async def _write_by_steps(connection: Connection, common: _Common, moves: Sequence[Move]) -> set[int]:
    """SQLite, which lets nobody else write meanwhile, first tells which will move."""
    asked = batch(connection, _ROW)
    found = await connection.execute(_select_standing(asked), _parameters(common, moves))
    moved = {message_id for (message_id,) in found.scalar() or []}
    parameters = _parameters(common, [one for one in moves if one.message_id in moved])
    await connection.execute(_update(asked), parameters)
    await connection.execute(_insert(asked), parameters)
    return moved


class _Common(NamedTuple):
    """What most moves of a batch have in common: it goes to the database once, and only the rest row by row."""

    old: MessageStatus
    new: MessageStatus
    kind: EventKind
    reason: Reason
    fault: Fault
    rule: str
    attempt: int
    stage: str
    tls: str
    code: int
    enhanced: EnhancedStatus | None


def _group(moves: Sequence[Move]) -> dict[_Common, list[Move]]:
    groups: dict[_Common, list[Move]] = defaultdict(list)
    for one in moves:
        reply = one.reply
        common = _Common(
            one.old,
            one.new,
            one.kind,
            one.reason,
            one.fault,
            one.rule,
            one.attempt,
            one.stage,
            one.tls,
            reply.code,
            reply.enhanced,
        )
        groups[common].append(one)
    return groups


def _parameters(common: _Common, moves: Sequence[Move]) -> dict[str, object]:
    enhanced = str(common.enhanced or "")
    spoken = f"{common.code or ''} {enhanced} "
    return {**common._asdict(), "enhanced": enhanced, "spoken": spoken, "rows": [_to_row(one) for one in moves]}


_ROW: Columns = {
    "message_id": BigInteger(),
    "lease": Text(),
    "at": BigInteger(),
    "next_attempt_at": BigInteger(),
    "text": Text(),
    "host": Text(),
    "report_id": BigInteger(),
}


def _to_row(one: Move) -> list[object]:
    """What a move has of its own, in the order of `_ROW`."""
    return [
        one.message_id,
        one.lease,
        to_microseconds(one.at),
        None if one.next_attempt_at is None else to_microseconds(one.next_attempt_at),
        storable(one.reply.text),
        one.host,
        one.report_id,
    ]


def _given(name: str) -> ColumnElement[Any]:
    """A value of `_Common` in a statement."""
    return bindparam(name, type_=Integer() if name in ("attempt", "code") else Text())


@cache
def _select_standing(moves: Subquery) -> Select[Any]:
    standing = select(message.c.id).join(moves, _stands(moves)).subquery()
    return select(gathered("sqlite", standing.c.id))


@cache
def _move_and_tell(moves: Subquery) -> Select[Any]:
    moved = _update(moves).returning(message.c.id).cte("moved")
    events = _insert(moves, moved).cte("events")
    return select(gathered("postgresql", moved.c.id)).add_cte(events)


@cache
def _update(moves: Subquery) -> Update:
    words = func.nullif(func.trim(_given("spoken") + moves.c.text), "")
    return (
        update(message)
        .where(_stands(moves))
        .values(
            status=_given("new"),
            reason=_given("reason"),
            next_attempt_at=moves.c.next_attempt_at,
            lease=null(),
            last_reply=func.coalesce(words, message.c.last_reply),
            updated_at=moves.c.at,
        )
    )


def _stands(moves: Subquery) -> ColumnElement[bool]:
    """Whether the message is still in the old status, and its lease the move's where that names one."""
    lease = func.coalesce(moves.c.lease, message.c.lease)
    is_mine = message.c.lease.is_not_distinct_from(lease)
    return (message.c.id == moves.c.message_id) & (message.c.status == _given("old")) & is_mine


@cache
def _insert(moves: Subquery, moved: CTE | None = None) -> Insert:
    """The events of the moves, or of those that were made."""
    values: dict[str, ColumnElement[Any]] = {
        name: moves.c[name] for name in ("message_id", "at", "text", "host", "report_id")
    }
    values |= {name: _given(name) for name in _Common._fields}
    rows = select(*values.values())
    if moved is not None:
        rows = rows.join(moved, moved.c.id == moves.c.message_id)
    return insert(message_event).from_select(list(values), rows)
