"""The people who log in: added with a name and with an address that replies to their mailings reach."""

from __future__ import annotations

from datetime import datetime

from engine.errors import InvalidInput
from engine.register.addresses import BadAddress, normalise
from engine.register.texts import required
from engine.store import users
from engine.store.database import Connection
from engine.store.users import User

_LONGEST_NAME = 100


async def add(
    connection: Connection,
    association_id: int | None,
    *,
    name: str,
    email: str,
    password_hash: str | None,
    now: datetime,
) -> User:
    """Add a secretary of an association, or an operator where none is given. Raises InvalidInput and Conflict."""
    return await users.create(
        connection,
        association_id,
        name=required("name", name, _LONGEST_NAME),
        email=address_to_keep(email),
        password_hash=password_hash,
        now=now,
    )


def address_to_keep(email: str) -> str:
    """A person's address as it is compared and kept. Raises InvalidInput."""
    address = normalise(email)
    if isinstance(address, BadAddress):
        raise InvalidInput("email", f"{email!r} cannot be an address: {address}")
    return address.key
