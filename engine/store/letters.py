"""People's letters on their way to the users whose mailings they answer; a row stays as long as its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, func, insert, select, update

from engine.store import alerts
from engine.store.database import Connection
from engine.store.reports import ReportState
from engine.store.tables import letter, mailing, message, report, user
from engine.store.words import storable

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many letters are carried in a day: in answer to one mail, and to one user."""

    per_message: int
    per_user: int


@dataclass(frozen=True, slots=True)
class NewLetter:
    """A letter as it was kept, and the message that it answers."""

    report_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class WaitingLetter:
    """A letter, claimed; `user_email` is empty where the member who wrote it is erased."""

    report_id: int
    attempts: int
    first_attempt_at: datetime
    received_at: datetime
    envelope_from: str
    peer: str
    raw: bytes
    user_email: str
    association: str


async def add(connection: Connection, new: NewLetter, now: datetime, allowance: Allowance) -> None:
    """Let a letter be carried from now on, or what is too much for one day: later, or not at all.

    One token must not open a flood: beyond its allowance letters are withheld. Many may answer one mailing: what is too
    much for its user today is carried on another day. Either is told to the operator.
    """
    if await _count(connection, letter.c.message_id, new.message_id, now) >= allowance.per_message:
        await _withhold(connection, new, now)
        return
    user_id = await _user_of(connection, new.message_id)
    days = await _count(connection, letter.c.user_id, user_id, now) // allowance.per_user
    due = now + days * _DAY
    row = {"report_id": new.report_id, "message_id": new.message_id, "user_id": user_id, "attempts": 0}
    await connection.execute(insert(letter).values(**row, first_attempt_at=due, next_attempt_at=due))
    if days:
        text = "More letters than the user is sent in a day: what is too much waits for the next days"
        await alerts.raise_alert(connection, "letters", f"user {user_id}", text, now)


async def claim(connection: Connection, limit: int, now: datetime, lost_at: datetime) -> list[WaitingLetter]:
    """Book an attempt for letters that are due, the longest waiting first; they are due again at `lost_at`."""
    due = select(letter.c.report_id).where(letter.c.next_attempt_at <= now).order_by(letter.c.next_attempt_at)
    mine = due.limit(limit).with_for_update(skip_locked=True)
    statement = (
        update(letter)
        .where(letter.c.report_id.in_(mine))
        .values(attempts=letter.c.attempts + 1, next_attempt_at=lost_at)
        .returning(letter.c.report_id)
    )
    return await _read(connection, list((await connection.execute(statement)).scalars()))


async def put_off(connection: Connection, one: WaitingLetter, until: datetime) -> None:
    """Let a letter be tried again at an instant, unless another has claimed it meanwhile."""
    await connection.execute(update(letter).where(_mine(one)).values(next_attempt_at=until))


async def finish(connection: Connection, one: WaitingLetter, state: ReportState, words: str) -> bool:
    """End a letter, with the words that did; False where another has claimed it meanwhile."""
    if not (await connection.execute(update(letter).where(_mine(one)).values(next_attempt_at=None))).rowcount:
        return False
    await _close(connection, one.report_id, state, words)
    return True


def _mine(one: WaitingLetter) -> ColumnElement[bool]:
    is_under_way = letter.c.next_attempt_at.is_not(None)
    return (letter.c.report_id == one.report_id) & (letter.c.attempts == one.attempts) & is_under_way


async def _count(connection: Connection, column: Column[int], number: int, now: datetime) -> int:
    """How many letters there were in the last day, and are for the days to come."""
    query = select(func.count()).where(column == number, letter.c.first_attempt_at > now - _DAY)
    return int((await connection.execute(query)).scalar_one())


async def _user_of(connection: Connection, message_id: int) -> int:
    query = select(mailing.c.user_id).join(message, message.c.mailing_id == mailing.c.id)
    return int((await connection.execute(query.where(message.c.id == message_id))).scalar_one())


async def _withhold(connection: Connection, new: NewLetter, now: datetime) -> None:
    await _close(connection, new.report_id, ReportState.WITHHELD, "more answers to one mail than are carried in a day")
    text = "More answers to one mail than are carried in a day: the others are kept among the returned mails"
    await alerts.raise_alert(connection, "letters", f"message {new.message_id}", text, now)


async def _close(connection: Connection, report_id: int, state: ReportState, words: str) -> None:
    values = {"state": state, "findings": [{"reply": storable(words)}]}
    await connection.execute(update(report).where(report.c.id == report_id).values(values))


async def _read(connection: Connection, report_ids: Sequence[int]) -> list[WaitingLetter]:
    query = (
        select(letter, report, user.c.email, mailing.c.sender)
        .join(report, report.c.id == letter.c.report_id)
        .join(user, user.c.id == letter.c.user_id)
        .outerjoin(message, message.c.id == letter.c.message_id)
        .outerjoin(mailing, mailing.c.id == message.c.mailing_id)
        .where(letter.c.report_id.in_(report_ids))
        .order_by(letter.c.report_id)
    )
    return [
        WaitingLetter(
            report_id=row.report_id,
            attempts=row.attempts,
            first_attempt_at=row.first_attempt_at,
            received_at=row.received_at,
            envelope_from=row.envelope_from,
            peer=row.peer,
            raw=row.raw or b"",
            user_email=row.email if row.sender else "",
            association=row.sender["association"] if row.sender else "",
        )
        for row in await connection.execute(query)
    ]
