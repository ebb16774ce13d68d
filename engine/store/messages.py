"""The one door for a message's status: every move is guarded, allowed by the lifecycle, and leaves its event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Insert,
    Integer,
    Select,
    Subquery,
    Text,
    Update,
    case,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from config.vocabulary import EventKind, Fault, MessageStatus, Reason, Reply
from engine.lifecycle import CARD_STATUS_OF, WAITING, may_move
from engine.store.batches import Columns, batch
from engine.store.card_status import turn_where
from engine.store.database import Connection
from engine.store.suppressions import reaches
from engine.store.tables import Instant, card, message, message_event, to_microseconds

NO_REPLY = Reply(0)
_NOTHING: ColumnElement[str] = literal("")


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
    reply: Reply = NO_REPLY
    host: str = ""
    tls: str = ""
    attempt: int = 0
    kind: EventKind = EventKind.MOVE
    lease: str | None = None
    next_attempt_at: datetime | None = None
    report_id: int | None = None


async def enqueue(connection: Connection, mailing_id: int, cards: Select[Any], now: datetime) -> int:
    """Write a message for each of the cards, due now; returns how many are new.

    Repeating it adds nothing: one row a mailing and card. A suppressed address becomes `blocked`, a malformed one
    `invalid`, and so do their cards; both without an attempt.
    """
    await connection.execute(_insert_messages(connection, mailing_id, cards, now))
    unheard = (message.c.mailing_id == mailing_id) & ~exists().where(message_event.c.message_id == message.c.id)
    for status in (MessageStatus.BLOCKED, MessageStatus.INVALID):
        refused = select(message.c.card_id).where(unheard, message.c.status == status)
        await turn_where(connection, card.c.id.in_(refused), CARD_STATUS_OF[status], now)
    reason = func.coalesce(message.c.reason, Reason.ENQUEUED)
    fault = case((message.c.status == MessageStatus.QUEUED, Fault.NONE), else_=Fault.RECIPIENT_ADDRESS)
    events = _events_where(unheard, now, old=MessageStatus.NONE, new=message.c.status, reason=reason, fault=fault)
    return (await connection.execute(events)).rowcount


async def move(connection: Connection, moves: Sequence[Move]) -> set[int]:
    """Make moves, each with its event; returns the messages that moved.

    A message that no longer stands in the old status, or whose lease is another's, does not move and leaves nothing.
    Raises ValueError for a move that the lifecycle forbids.
    """
    for one in moves:
        if not may_move(one.old, one.new):
            raise ValueError(f"a message cannot move from {one.old} to {one.new}")
    if not moves:
        return set()
    rows = {one.message_id: _row(one) for one in moves}
    statement = _update_of_moves(_moves_table(connection))
    moved = set((await connection.execute(statement, {"rows": list(rows.values())})).scalars())
    await _note(connection, [rows[message_id] for message_id in rows if message_id in moved])
    return moved


async def note(connection: Connection, notes: Sequence[Move]) -> None:
    """Write events that leave their messages as they are."""
    await _note(connection, [_row(one) for one in notes])


async def move_waiting(
    connection: Connection,
    which: ColumnElement[bool],
    new: MessageStatus,
    at: datetime,
    *,
    reason: Reason,
    fault: Fault = Fault.NONE,
    text: str = "",
    next_attempt_at: datetime | None = None,
    starts_window: bool = False,
) -> int:
    """Move every waiting message of a condition that is not under way; returns how many.

    Those that stand in the status already get no event, only the new time. `starts_window` counts the days of trying
    from now where no attempt was made yet.
    """
    movable = which & message.c.lease.is_(None) & message.c.status.in_(_waiting_that_may_become(new))
    await _lock(connection, movable)
    moving = movable & (message.c.status != new)
    await connection.execute(
        _events_where(moving, at, old=message.c.status, new=new, reason=reason, fault=fault, text=text)
    )
    values: dict[object, object] = {
        "status": new,
        "next_attempt_at": next_attempt_at,
        "updated_at": at,
        "reason": reason,
    }
    if starts_window:
        values["first_attempt_at"] = func.coalesce(message.c.first_attempt_at, literal(at, Instant()))
    if text:
        values["last_reply"] = text
    return (await connection.execute(update(message).where(movable).values(values))).rowcount


_EVENT_COLUMNS = [column.name for column in message_event.c if column.name != "id"]
_MOVE_COLUMNS: Columns = {
    "message_id": BigInteger(),
    "at": BigInteger(),
    "kind": Text(),
    "old": Text(),
    "new": Text(),
    "attempt": Integer(),
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
    """A move as the batch carries it, in the order of `_MOVE_COLUMNS`."""
    reply = one.reply
    return [
        one.message_id,
        to_microseconds(one.at),
        one.kind,
        one.old,
        one.new,
        one.attempt,
        one.reason,
        one.fault,
        one.rule,
        reply.code,
        str(reply.enhanced or ""),
        reply.text,
        one.host,
        one.tls,
        one.report_id,
        one.lease,
        None if one.next_attempt_at is None else to_microseconds(one.next_attempt_at),
        str(reply) or None,
    ]


def _moves_table(connection: Connection) -> Subquery:
    return batch(connection, _MOVE_COLUMNS)


@cache
def _update_of_moves(moves: Subquery) -> Update:
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
def _insert_of_events(moves: Subquery) -> Insert:
    return insert(message_event).from_select(_EVENT_COLUMNS, select(*(moves.c[name] for name in _EVENT_COLUMNS)))


async def _note(connection: Connection, rows: list[list[object]]) -> None:
    if rows:
        await connection.execute(_insert_of_events(_moves_table(connection)), {"rows": rows})


def _insert_messages(connection: Connection, mailing_id: int, cards: Select[Any], now: datetime) -> Insert:
    chosen = cards.subquery("chosen")
    key = chosen.c.address_key
    due = literal(now, Instant())
    bad, known_bad = key == "", reaches(key, chosen.c.association_id)
    values: dict[str, ColumnElement[Any]] = {
        "mailing_id": literal(mailing_id, BigInteger()),
        "association_id": chosen.c.association_id,
        "card_id": chosen.c.id,
        "email": chosen.c.email,
        "address_key": key,
        "first_name": chosen.c.first_name,
        "last_name": chosen.c.last_name,
        "domain": _domain_of(key),
        "status": case((bad, MessageStatus.INVALID), (known_bad, MessageStatus.BLOCKED), else_=MessageStatus.QUEUED),
        "reason": case((bad, Reason.BAD_ADDRESS), (known_bad, Reason.KNOWN_BAD)),
        "attempts": literal(0),
        "created_at": due,
        "next_attempt_at": case((~bad & ~known_bad, due)),
        "updated_at": due,
    }
    dialect_insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    rows = select(*values.values()).where(chosen.c.id.is_not(None)).order_by(chosen.c.id)
    new = dialect_insert(message).from_select(list(values), rows)
    return new.on_conflict_do_nothing()


def _domain_of(key: ColumnElement[str]) -> ColumnElement[str]:
    """What stands behind the last @: trimming everything but @ off the right leaves what stands before it."""
    before = func.rtrim(key, func.replace(key, "@", ""))
    return func.substr(key, func.length(before) + 1)


def _events_where(
    which: ColumnElement[bool],
    at: datetime,
    *,
    old: ColumnElement[str] | str,
    new: ColumnElement[str] | str,
    reason: ColumnElement[str] | str,
    fault: ColumnElement[str] | str,
    text: str = "",
) -> Insert:
    """The events of all messages of a condition that make the same move."""
    values: dict[str, ColumnElement[Any]] = {
        "message_id": message.c.id,
        "at": literal(at, Instant()),
        "kind": literal(EventKind.MOVE),
        "old": _word(old),
        "new": _word(new),
        "attempt": message.c.attempts,
        "reason": _word(reason),
        "fault": _word(fault),
        "rule": _NOTHING,
        "code": literal(0),
        "enhanced": _NOTHING,
        "text": _word(text),
        "host": _NOTHING,
        "tls": _NOTHING,
    }
    return insert(message_event).from_select(list(values), select(*values.values()).where(which))


def _word(word: ColumnElement[str] | str) -> ColumnElement[str]:
    return literal(word, Text()) if isinstance(word, str) else word


def _waiting_that_may_become(new: MessageStatus) -> list[MessageStatus]:
    return sorted(old for old in WAITING if may_move(old, new))


async def _lock(connection: Connection, which: ColumnElement[bool]) -> None:
    """Hold the rows still between two statements; SQLite's one writer does so anyway."""
    if connection.dialect.name != "sqlite":
        rows = select(message.c.id).where(which).order_by(message.c.id).with_for_update().subquery()
        await connection.execute(select(func.count()).select_from(rows))
