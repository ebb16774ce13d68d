"""Confirmation requests by API."""

from __future__ import annotations

from admin_api.choosing import Recipients, choose
from admin_api.endpoint import Call
from admin_api.shapes import Id, Shape
from engine.mailing.confirmations import request_confirmations
from engine.mailing.sending import SendCounts


class ConfirmationRequest(Recipients):
    """Who is to be asked, by whom and from which office."""

    user_id: Id
    office_id: Id


class SendView(Shape):
    """What a sending did: the mailing to follow, how many were queued, and who was left out, by reason."""

    mailing_id: int | None
    queued: int
    skipped: dict[str, int]


def show(counts: SendCounts) -> SendView:
    return SendView.model_validate(counts, from_attributes=True)


async def create(call: Call, body: ConfirmationRequest) -> SendView:
    """Ask every unconfirmed member of the choice to confirm the address."""
    chosen = await choose(call, body)
    counts = await request_confirmations(
        call.connection,
        call.association_id,
        chosen,
        user_id=body.user_id,
        office_id=body.office_id,
        now=call.now,
    )
    await call.note("confirmation requested", mailing=counts.mailing_id, queued=counts.queued)
    return show(counts)
