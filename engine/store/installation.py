"""Which installation a database is, and how far its senders have come: a number that only ever grows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.store.database import Connection
from engine.store.tables import installation

_ONLY = 1


@dataclass(frozen=True, slots=True)
class Installation:
    """The mark a database got when the first sender worked from it, and the turn its senders have reached."""

    mark: str
    turn: int


async def find_or_begin(connection: Connection, new_mark: str) -> Installation:
    """What the database is; one that no sender has worked from yet gets the new mark."""
    make_insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    first = make_insert(installation).values(id=_ONLY, mark=new_mark, turn=0)
    await connection.execute(first.on_conflict_do_nothing())
    query = select(installation.c.mark, installation.c.turn).with_for_update()
    return Installation(*(await connection.execute(query)).one())


async def advance(connection: Connection, turn: int) -> None:
    """Senders have come to a turn."""
    await connection.execute(update(installation).values(turn=turn))
