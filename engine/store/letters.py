"""People's letters on their way to the users whose mailings they answer; a row lives until its letter is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, insert, select, update

from engine.store.database import Connection
from engine.store.reports import ReportState
from engine.store.tables import letter, mailing, message, report, user
from engine.store.words import storable


@dataclass(frozen=True, slots=True)
class WaitingLetter:
    """A letter, claimed; `user_email` is None where the message that it answered is gone."""

    report_id: int
    attempts: int
    first_attempt_at: datetime
    received_at: datetime
    envelope_from: str
    peer: str
    raw: bytes
    user_email: str | None
    association: str


async def add(connection: Connection, report_ids: Sequence[int], now: datetime) -> None:
    """Let the letters of some reports be carried, from now on."""
    if report_ids:
        rows = [
            {"report_id": one, "attempts": 0, "first_attempt_at": now, "next_attempt_at": now} for one in report_ids
        ]
        await connection.execute(insert(letter), rows)


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
    if not (await connection.execute(delete(letter).where(_mine(one)))).rowcount:
        return False
    values = {"state": state, "findings": [{"reply": storable(words)}]}
    await connection.execute(update(report).where(report.c.id == one.report_id).values(values))
    return True


def _mine(one: WaitingLetter) -> ColumnElement[bool]:
    return (letter.c.report_id == one.report_id) & (letter.c.attempts == one.attempts)


async def _read(connection: Connection, report_ids: Sequence[int]) -> list[WaitingLetter]:
    query = (
        select(letter, report, user.c.email, mailing.c.sender)
        .join(report, report.c.id == letter.c.report_id)
        .outerjoin(message, message.c.id == report.c.message_id)
        .outerjoin(mailing, mailing.c.id == message.c.mailing_id)
        .outerjoin(user, user.c.id == mailing.c.user_id)
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
            user_email=row.email,
            association=row.sender["association"] if row.sender else "",
        )
        for row in await connection.execute(query)
    ]
