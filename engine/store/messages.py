"""The one door for a message's status: every move is guarded, allowed by the lifecycle, and leaves its event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Insert,
    Select,
    Text,
    case,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from config.vocabulary import EventKind, Fault, MessageStatus, Reason
from engine.lifecycle import CARD_STATUS_OF, WAITING, may_correct, may_move
from engine.store.card_status import turn_where
from engine.store.columns import Instant
from engine.store.database import Connection
from engine.store.moves import Move, write_events, write_moves
from engine.store.suppressions import reaches
from engine.store.tables import card, message, message_event
from engine.store.words import storable

__all__ = ["Move", "correct", "enqueue", "move", "move_waiting", "note"]

_NOTHING: ColumnElement[str] = literal("")


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
    """Make moves of different messages, each with its event; returns the messages that moved.

    A message that no longer stands in the old status, or whose lease is another's, does not move and leaves nothing.
    Raises ValueError for a move that the lifecycle forbids.
    """
    for one in moves:
        if not may_move(one.old, one.new):
            raise ValueError(f"a message cannot move from {one.old} to {one.new}")
    return await write_moves(connection, moves)


async def correct(connection: Connection, moves: Sequence[Move]) -> set[int]:
    """Put right what was misunderstood: moves of messages that are not under way; returns which moved.

    A message may keep its status and get another reason. Raises ValueError for a status that no answer can make.
    """
    for one in moves:
        if not may_correct(one.old, one.new):
            raise ValueError(f"a message cannot be corrected from {one.old} to {one.new}")
    return await write_moves(connection, moves)


async def note(connection: Connection, notes: Sequence[Move]) -> None:
    """Write events that leave their messages as they are."""
    await write_events(connection, notes)


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
    words = storable(text)
    movable = which & message.c.lease.is_(None) & message.c.status.in_(_waiting_that_may_become(new))
    await _lock(connection, movable)
    moving = movable & (message.c.status != new)
    await connection.execute(
        _events_where(moving, at, old=message.c.status, new=new, reason=reason, fault=fault, text=words)
    )
    values: dict[object, object] = {
        "status": new,
        "next_attempt_at": next_attempt_at,
        "updated_at": at,
        "reason": reason,
    }
    if starts_window:
        values["first_attempt_at"] = func.coalesce(message.c.first_attempt_at, literal(at, Instant()))
    if words:
        values["last_reply"] = words
    return (await connection.execute(update(message).where(movable).values(values))).rowcount


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
    # A lane's rows stand side by side: what is claimed together lies on few pages, however many wait.
    rows = select(*values.values()).where(chosen.c.id.is_not(None)).order_by(values["domain"], chosen.c.id)
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
