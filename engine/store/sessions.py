"""Who is logged in: one row a session, found by the hash of its token and ended by deleting it."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from engine.store.database import Connection
from engine.store.tables import session

LASTS = timedelta(hours=12)
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Session:
    """One log-in of one user, with the secret that stands in each of its forms."""

    user_id: int
    csrf: str


async def start(connection: Connection, user_id: int, now: datetime) -> str:
    """Begin a session and return the token for the cookie; sessions that are over are swept away."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    await connection.execute(delete(session).where(session.c.expires_at <= now))
    values = {
        "token_hash": _hash(token),
        "user_id": user_id,
        "csrf": secrets.token_urlsafe(_TOKEN_BYTES),
        "created_at": now,
        "expires_at": now + LASTS,
    }
    await connection.execute(insert(session).values(values))
    return token


async def find(connection: Connection, token: str, now: datetime) -> Session | None:
    """The session of a token, unless it is over."""
    query = select(session).where(session.c.token_hash == _hash(token), session.c.expires_at > now)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Session(row.user_id, row.csrf)


async def end(connection: Connection, token: str) -> None:
    await connection.execute(delete(session).where(session.c.token_hash == _hash(token)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
