"""Users by API: secretaries under their association, operators under the installation."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

from pydantic import Field, SecretStr

from admin_api.endpoint import Call
from admin_api.paging import Page, PageQuery, page_of
from admin_api.shapes import Line, Name, Shape
from config.vocabulary import Role
from engine.errors import NotFound
from engine.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD, hash_password
from engine.register import people
from engine.store import users
from engine.store.users import User

Password = Annotated[SecretStr, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]


class NewUser(Shape):
    """A person to be added; without a password the person cannot log in yet."""

    name: Name
    email: Line
    password: Password | None = None


class UserChange(Shape):
    """What is to change; what is left out stays. A new password ends every session of the person."""

    name: Name | None = None
    email: Line | None = None
    password: Password | None = None


class UserView(Shape):
    """One person who may log in."""

    id: int
    association_id: int | None
    name: str
    email: str
    role: Role
    created_at: datetime


def show(user: User) -> UserView:
    return UserView.model_validate({name: getattr(user, name) for name in UserView.model_fields})


async def list_secretaries(call: Call, query: PageQuery) -> Page[UserView]:
    """The users of an association."""
    return await _listing(call, query, call.association_id)


async def list_operators(call: Call, query: PageQuery) -> Page[UserView]:
    """The operators of the installation."""
    return await _listing(call, query, None)


async def create_secretary(call: Call, body: NewUser) -> UserView:
    """Add a user to an association."""
    return await _create(call, body, call.association_id)


async def create_operator(call: Call, body: NewUser) -> UserView:
    """Add an operator."""
    return await _create(call, body, None)


async def get_secretary(call: Call) -> UserView:
    """One user of an association."""
    return show(await _find(call, call.association_id))


async def update_secretary(call: Call, body: UserChange) -> UserView:
    """Change a user's name, address or password."""
    user = await _find(call, call.association_id)
    email = user.email if body.email is None else people.address_to_keep(body.email)
    await users.rename(call.connection, user.id, body.name or user.name, email)
    if body.password is not None:
        await users.set_password(call.connection, user.id, await _hash(body.password))
    await call.note("user changed", user=user.id)
    return show(await users.get(call.connection, user.id))


async def remove_secretary(call: Call) -> None:
    """Take a user's log-in away."""
    user = await _find(call, call.association_id)
    await users.remove(call.connection, user.id)
    await call.note("user removed", user=user.id)


async def _listing(call: Call, query: PageQuery, association_id: int | None) -> Page[UserView]:
    after = query.after_id or 0
    rows = await users.listing(call.connection, association_id, after_id=after, limit=query.limit + 1)
    return page_of(rows, query, lambda row: row.id, show)


async def _create(call: Call, body: NewUser, association_id: int | None) -> UserView:
    password_hash = None if body.password is None else await _hash(body.password)
    made = await people.add(
        call.connection, association_id, name=body.name, email=body.email, password_hash=password_hash, now=call.now
    )
    await call.note("user added", user=made.id)
    return show(made)


async def _find(call: Call, association_id: int) -> User:
    user = await users.get(call.connection, call.id("user_id"))
    if user.association_id != association_id:
        raise NotFound("there is no such user")
    return user


async def _hash(password: SecretStr) -> str:
    return await asyncio.to_thread(hash_password, password.get_secret_value())
