"""Suppressions by API: addresses that nothing is sent to, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from admin_api.endpoint import Call
from admin_api.errors import named_by
from admin_api.paging import Page, PageQuery, page_of
from admin_api.shapes import Id, Line, Name, Shape
from config.vocabulary import MessageStatus, Reason
from engine.errors import InvalidInput, NotFound
from engine.register import associations
from engine.register.addresses import BadAddress, normalise
from engine.store import operations
from engine.store import suppressions as store
from engine.store.by_hand import suppress_by_hand
from engine.store.operations import SuppressionRow
from engine.store.suppressions import Suppression

Unwanted = Literal["bounced", "invalid", "blocked", "spam", "unsubscribed"]


class SuppressionQuery(PageQuery):
    """Which suppressions."""

    email: Line = ""


class NewOwnSuppression(Shape):
    """An address that the association is to write to no more, and why."""

    email: Name
    status: Unwanted = "unsubscribed"
    evidence: Name


class NewSuppression(NewOwnSuppression):
    """An address that nothing more is to be sent to; everywhere, or by one association."""

    association_id: Id | None = None


class SuppressionView(Shape):
    """One suppression; what another association's mail taught is told without `message_id` and `evidence`."""

    id: int
    address_key: str
    association_id: int | None
    status: MessageStatus
    reason: str
    evidence: str
    message_id: int | None
    created_at: datetime
    lifted_at: datetime | None


def show(row: SuppressionRow) -> SuppressionView:
    return SuppressionView.model_validate(row, from_attributes=True)


async def list_all(call: Call, query: SuppressionQuery) -> Page[SuppressionView]:
    """Every suppression of the installation that is not lifted."""
    rows = await operations.suppressions(
        call.connection, address_key=_key(query.email), before_id=query.after_id, limit=query.limit + 1
    )
    return page_of(rows, query, lambda row: row.id, show)


async def list_own(call: Call, query: SuppressionQuery) -> Page[SuppressionView]:
    """The suppressions that keep mail from the association's own members."""
    rows = await operations.suppressions_seen_by(
        call.connection,
        call.association_id,
        address_key=_key(query.email),
        before_id=query.after_id,
        limit=query.limit + 1,
    )
    return page_of(rows, query, lambda row: row.id, show)


async def create(call: Call, body: NewSuppression) -> SuppressionView:
    """Suppress an address, everywhere or for one association."""
    if body.association_id is not None:
        with named_by("association_id"):
            await associations.get(call.connection, body.association_id)
    return await _create(call, body, body.association_id)


async def create_own(call: Call, body: NewOwnSuppression) -> SuppressionView:
    """Suppress an address for the association."""
    return await _create(call, body, call.association_id)


async def lift(call: Call) -> None:
    """Lift a suppression: its cards may be asked for confirmation again."""
    await store.lift(call.connection, call.id("suppression_id"), call.now)
    await call.note("suppression lifted", suppression=call.id("suppression_id"))


async def lift_own(call: Call) -> None:
    """Lift a suppression that the association made; one that holds everywhere is the installation's to lift."""
    row = await operations.one_suppression(call.connection, call.id("suppression_id"))
    if row.association_id != call.association_id:
        raise NotFound("there is no such suppression")
    await lift(call)


async def _create(call: Call, body: NewOwnSuppression, association_id: int | None) -> SuppressionView:
    key, status = _key(body.email), MessageStatus(body.status)
    one = Suppression(key, association_id, status, Reason.KNOWN_BAD, body.evidence)
    await suppress_by_hand(call.connection, one, call.now)
    await call.note("suppression added", address=key)
    rows = await operations.suppressions(call.connection, address_key=key)
    return show(next(row for row in rows if (row.association_id, row.status) == (association_id, status)))


def _key(email: str) -> str:
    """The address as it is compared; empty for none. Raises InvalidInput."""
    if not email:
        return ""
    address = normalise(email)
    if isinstance(address, BadAddress):
        raise InvalidInput("email", str(address))
    return address.key
