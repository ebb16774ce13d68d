"""Keys to the API: 256 bits each, kept only as a hash, good for the whole installation or for one association."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from engine.errors import NotFound
from engine.store.database import Connection
from engine.store.tables import api_key

_PREFIX = "bvd_"
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key; `association_id` is None where it is good for the whole installation."""

    id: int
    association_id: int | None
    name: str
    created_at: datetime
    revoked_at: datetime | None


async def create(connection: Connection, association_id: int | None, name: str, now: datetime) -> tuple[ApiKey, str]:
    """Make a key and return it with its token, which is shown this once and never again."""
    token = _PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    values = {"association_id": association_id, "name": name, "token_hash": _hash(token), "created_at": now}
    result = await connection.execute(insert(api_key).values(values).returning(*api_key.c))
    return _to_key(result.one()), token


async def by_token(connection: Connection, token: str) -> ApiKey | None:
    """The key a token belongs to, unless it was revoked."""
    query = select(api_key).where(api_key.c.token_hash == _hash(token), api_key.c.revoked_at.is_(None))
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _to_key(row)


async def listing(connection: Connection, *, after_id: int = 0, limit: int = 1000) -> list[ApiKey]:
    """Every key, revoked ones too, oldest first."""
    query = select(api_key).where(api_key.c.id > after_id).order_by(api_key.c.id).limit(limit)
    return [_to_key(row) for row in await connection.execute(query)]


async def revoke(connection: Connection, key_id: int, now: datetime) -> None:
    """End a key at once; a second time changes nothing. Raises NotFound."""
    known = (await connection.execute(select(api_key.c.id).where(api_key.c.id == key_id))).first()
    if known is None:
        raise NotFound("there is no such API key")
    still_good = (api_key.c.id == key_id, api_key.c.revoked_at.is_(None))
    await connection.execute(update(api_key).where(*still_good).values(revoked_at=now))


def _hash(token: str) -> str:
    """A plain hash is enough for a random token of 256 bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def _to_key(row: Row[Any]) -> ApiKey:
    return ApiKey(row.id, row.association_id, row.name, row.created_at, row.revoked_at)
