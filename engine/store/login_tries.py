"""How often somebody has tried to log in under a name, so that guessing is slow."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select

from engine.store.database import Connection
from engine.store.tables import login_try

MOST_TRIES = 10
WINDOW = timedelta(minutes=15)


async def book(connection: Connection, name: str, now: datetime) -> bool:
    """Book a try before it is made and say whether it may be: at most ten a quarter of an hour for each name."""
    await connection.execute(delete(login_try).where(login_try.c.at <= now - WINDOW))
    tries = select(func.count()).select_from(login_try).where(login_try.c.name == name)
    if (await connection.execute(tries)).scalar_one() >= MOST_TRIES:
        return False
    await connection.execute(insert(login_try).values(name=name, at=now))
    return True


async def forget(connection: Connection, name: str) -> None:
    """Forget the tries of a name that has logged in."""
    await connection.execute(delete(login_try).where(login_try.c.name == name))
