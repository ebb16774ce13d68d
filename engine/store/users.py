"""The people who log in: operators of the installation and secretaries of one association."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from config.vocabulary import Role
from engine.errors import Conflict, NotFound
from engine.store.database import Connection
from engine.store.tables import mailing, session, user


@dataclass(frozen=True, slots=True)
class User:
    """One person; `association_id` is None for an operator, `password_hash` is None while the person cannot log in."""

    id: int
    association_id: int | None
    name: str
    email: str
    role: Role
    created_at: datetime
    password_hash: str | None = field(repr=False)


async def create(
    connection: Connection,
    association_id: int | None,
    *,
    name: str,
    email: str,
    password_hash: str | None,
    now: datetime,
) -> User:
    """Add a person: an operator where no association is given, else a secretary. Raises Conflict: known address."""
    values = {
        "association_id": association_id,
        "name": name,
        "email": email.lower(),
        "role": Role.OPERATOR if association_id is None else Role.SECRETARY,
        "password_hash": password_hash,
        "created_at": now,
    }
    try:
        result = await connection.execute(insert(user).values(values).returning(*user.c))
    except IntegrityError:
        raise Conflict(f"there is already a user with the address {email}; give another address") from None
    return _to_user(result.one())


async def get(connection: Connection, user_id: int) -> User:
    """Raises NotFound."""
    row = (await connection.execute(select(user).where(user.c.id == user_id))).one_or_none()
    if row is None:
        raise NotFound("there is no such user")
    return _to_user(row)


async def by_email(connection: Connection, email: str) -> User | None:
    row = (await connection.execute(select(user).where(user.c.email == email.lower()))).one_or_none()
    return None if row is None else _to_user(row)


async def listing(
    connection: Connection, association_id: int | None, *, after_id: int = 0, limit: int = 1000
) -> list[User]:
    """The people of an association, or the operators where none is given, oldest first."""
    whose = user.c.association_id.is_not_distinct_from(association_id)
    query = select(user).where(whose, user.c.id > after_id).order_by(user.c.id).limit(limit)
    return [_to_user(row) for row in await connection.execute(query)]


async def rename(connection: Connection, user_id: int, name: str, email: str) -> None:
    """Raises Conflict where the address belongs to somebody else."""
    try:
        await connection.execute(update(user).where(user.c.id == user_id).values(name=name, email=email.lower()))
    except IntegrityError:
        raise Conflict(f"there is already a user with the address {email}; give another address") from None


async def set_password(connection: Connection, user_id: int, password_hash: str | None) -> None:
    """Change the password (None: no more log-in) and end every session of the person."""
    await connection.execute(update(user).where(user.c.id == user_id).values(password_hash=password_hash))
    await connection.execute(delete(session).where(session.c.user_id == user_id))


async def remove(connection: Connection, user_id: int) -> None:
    """Take the log-in away; the name stays only where a mailing was sent in it."""
    await set_password(connection, user_id, None)
    has_sent = select(mailing.c.id).where(mailing.c.user_id == user_id).limit(1)
    if (await connection.execute(has_sent)).first() is None:
        await connection.execute(delete(user).where(user.c.id == user_id))


def _to_user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        association_id=row.association_id,
        name=row.name,
        email=row.email,
        role=Role(row.role),
        created_at=row.created_at,
        password_hash=row.password_hash,
    )
