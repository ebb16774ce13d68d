"""Forget a person's address everywhere; what keeps it suppressed is a keyed hash (`return_path.hide_address`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    String,
    Table,
    Text,
    cast,
    delete,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from config.vocabulary import MessageStatus, Reason
from engine.return_path import ERASED
from engine.store import cards
from engine.store.columns import Document
from engine.store.database import Connection, Database
from engine.store.tables import (
    address,
    card,
    consent_event,
    idempotency,
    letter,
    login_try,
    message,
    message_event,
    metadata,
    report,
    suppression,
    user,
)

_PART = 50
_STAFF = {user, login_try}
"""Who works here is no member; their own addresses go when they leave."""


async def erased(connection: Connection) -> set[str]:
    """The hashes of every address that was erased."""
    begins = suppression.c.address_key.between(ERASED, ERASED + "~")
    query = select(suppression.c.address_key).where(begins, suppression.c.lifted_at.is_(None))
    return set((await connection.execute(query)).scalars())


async def erase(connection: Connection, address_key: str, hidden: str, now: datetime) -> int:
    """Remove the cards with an address, their messages and the mail about them; returns how many cards.

    Whatever else mentions the address keeps the rest of its words. `hidden` stands for the address from now on.
    """
    spellings = await _spellings(connection, address_key)
    await _drop_reports(connection, [number async for number in _reports_about(connection, spellings)])
    owners = list((await connection.execute(select(card.c.id).where(card.c.address_key == address_key))).scalars())
    for card_id in owners:
        await cards.erase(connection, card_id)
    await _hide(connection, address_key, hidden, now)
    for table in metadata.sorted_tables:
        if table not in _STAFF:
            await _blot_out(connection, table, spellings)
    return len(owners)


async def scrub(database: Database) -> None:
    """Write the database anew, so that nothing that was erased can be read from the space it left."""
    async with database.engine.connect() as opened:
        connection = opened if database.is_sqlite else await opened.execution_options(isolation_level="AUTOCOMMIT")
        await connection.exec_driver_sql("VACUUM")
        if database.is_sqlite:
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


async def _spellings(connection: Connection, address_key: str) -> list[str]:
    """The address in every way it was typed."""
    typed = {address_key}
    for table in (card, message):
        typed |= set(
            (await connection.execute(select(table.c.email).where(table.c.address_key == address_key))).scalars()
        )
    return sorted(typed, key=len, reverse=True)


async def _reports_about(connection: Connection, spellings: Sequence[str]) -> AsyncIterator[int]:
    """Returned mail that was about the address, came from it, or mentions it anywhere."""
    words = [spelling.lower().encode() for spelling in spellings]
    last = 0
    while True:
        query = select(report).where(report.c.id > last).order_by(report.c.id).limit(_PART)
        rows = (await connection.execute(query)).all()
        if not rows:
            return
        for row in rows:
            said = f"{row.envelope_from} {row.recipients} {row.findings}".lower().encode() + (row.raw or b"").lower()
            if any(word in said for word in words):
                yield row.id
        last = rows[-1].id


async def _drop_reports(connection: Connection, ids: Sequence[int]) -> None:
    await connection.execute(update(message_event).where(message_event.c.report_id.in_(ids)).values(report_id=None))
    await connection.execute(delete(letter).where(letter.c.report_id.in_(ids)))
    await connection.execute(delete(report).where(report.c.id.in_(ids)))


async def _hide(connection: Connection, address_key: str, hidden: str, now: datetime) -> None:
    """Let the hash stand where the address stood: what was sent while it was on a card, consent, suppressions."""
    nobody = {"email": "", "address_key": hidden, "first_name": "", "last_name": "", "last_reply": None}
    await connection.execute(update(message).where(message.c.address_key == address_key).values(nobody))
    for table in (consent_event, suppression):
        await connection.execute(update(table).where(table.c.address_key == address_key).values(address_key=hidden))
    await connection.execute(update(suppression).where(suppression.c.address_key == hidden).values(evidence=""))
    await connection.execute(delete(address).where(address.c.address_key == address_key))
    wish = {"address_key": hidden, "status": MessageStatus.UNSUBSCRIBED, "reason": Reason.OPT_OUT, "evidence": "erased"}
    await connection.execute(insert(suppression).values(**wish, created_at=now))


async def _blot_out(connection: Connection, table: Table, spellings: Collection[str]) -> None:
    """Take the address out of every text of a table; what an API call answered is forgotten whole."""
    for column in table.c:
        if not isinstance(column.type, String | type(Document)):
            continue
        text = cast(column, Text)
        mentions = or_(*(func.lower(text).contains(spelling.lower(), autoescape=True) for spelling in spellings))
        if table is idempotency:
            await connection.execute(delete(table).where(mentions))
        else:
            values = {column.name: _without(connection, column, spellings)}
            await connection.execute(update(table).where(mentions).values(values))


def _without(connection: Connection, column: Column[object], spellings: Collection[str]) -> ColumnElement[object]:
    text: ColumnElement[object] = cast(column, Text)
    for spelling in spellings:
        text = func.replace(text, spelling, "(erased)")
    if isinstance(column.type, String):
        return text
    return cast(text, JSONB) if connection.dialect.name == "postgresql" else type_coerce(text, Text)
