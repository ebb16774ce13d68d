"""API keys by API; the token is shown once, when the key is made."""

from __future__ import annotations

from datetime import datetime

from admin_api.endpoint import Call
from admin_api.errors import named_by
from admin_api.paging import Page, PageQuery, page_of
from admin_api.shapes import Id, Name, Shape
from engine.register import associations
from engine.store import api_keys
from engine.store.api_keys import ApiKey


class NewKey(Shape):
    """A key to be made, for one association or (null) for the whole installation."""

    name: Name
    association_id: Id | None = None


class KeyView(Shape):
    """One key."""

    id: int
    association_id: int | None
    name: str
    created_at: datetime
    revoked_at: datetime | None


class KeyWithToken(KeyView):
    """A key just made, with the token that is shown this once."""

    token: str


def show(key: ApiKey) -> KeyView:
    return KeyView.model_validate(key, from_attributes=True)


async def list_all(call: Call, query: PageQuery) -> Page[KeyView]:
    """Every key, revoked ones too."""
    rows = await api_keys.listing(call.connection, after_id=query.after_id or 0, limit=query.limit + 1)
    return page_of(rows, query, lambda row: row.id, show)


async def create(call: Call, body: NewKey) -> KeyWithToken:
    """Make a key."""
    if body.association_id is not None:
        with named_by("association_id"):
            await associations.get(call.connection, body.association_id)
    made, token = await api_keys.create(call.connection, body.association_id, body.name, call.now)
    await call.note("key made", key=made.id)
    return KeyWithToken(**dict(show(made)), token=token)


async def revoke(call: Call) -> None:
    """Revoke a key at once."""
    await api_keys.revoke(call.connection, call.id("key_id"), call.now)
    await call.note("key revoked", key=call.id("key_id"))
