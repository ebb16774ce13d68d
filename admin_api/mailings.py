"""Mailings by API: written, previewed, sent, paused, followed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from admin_api.choosing import Recipients, choose
from admin_api.confirmations import SendView
from admin_api.confirmations import show as show_counts
from admin_api.endpoint import Call
from admin_api.errors import named_by
from admin_api.messages import MessageView
from admin_api.messages import show as show_message
from admin_api.paging import Page, PageQuery, page_of
from admin_api.shapes import Id, Name, Prose, Shape
from config.vocabulary import BodyFormat, MailingKind, MailingState, MessageStatus
from engine.mailing import drafts, sending
from engine.mailing.preview import preview as make_preview
from engine.register import cards
from engine.store import history
from engine.store.history import MailingRow


class NewMailing(Shape):
    """A draft; subject and body take %NAME%, %FIRST_NAME% and %LAST_NAME%."""

    user_id: Id
    office_id: Id
    subject: Name
    body: Prose
    format: BodyFormat = BodyFormat.MARKDOWN


class MailingChange(Shape):
    """The draft anew."""

    subject: Name
    body: Prose
    format: BodyFormat = BodyFormat.MARKDOWN


class SenderView(Shape):
    """Who sends, as every mail says it."""

    association: str
    slug: str
    office: str
    user: str
    user_email: str


class MailingView(Shape):
    """One mailing: how many of its messages stand where, and who was left out, by reason."""

    id: int
    kind: MailingKind
    state: MailingState
    subject: str
    body: str
    format: BodyFormat
    sender: SenderView
    counts: dict[MessageStatus, int]
    total: int
    skipped: dict[str, int]
    created_at: datetime
    sent_at: datetime | None


class PreviewQuery(Shape):
    """For which member."""

    card_id: Annotated[int, Field(ge=1, le=2**63 - 1)]


class PreviewView(Shape):
    """The mail as one member would get it."""

    subject: str
    sender: str
    reply_to: str
    recipient: str
    html: str
    text: str
    warnings: list[str]


class MessageQuery(PageQuery):
    """Which messages of a mailing."""

    status: MessageStatus | None = None


def show(row: MailingRow) -> MailingView:
    values = {name: getattr(row, name) for name in MailingView.model_fields if name != "sender"}
    return MailingView(**values, sender=SenderView.model_validate(row.sender, from_attributes=True))


async def list_all(call: Call, query: PageQuery) -> Page[MailingView]:
    """The mailings and confirmation requests of an association, newest first."""
    rows = await history.mailings(call.connection, call.association_id, before_id=query.after_id, limit=query.limit + 1)
    return page_of(rows, query, lambda row: row.id, show)


async def create(call: Call, body: NewMailing) -> MailingView:
    """Write a draft."""
    draft = await drafts.create(
        call.connection,
        call.association_id,
        body.office_id,
        body.user_id,
        subject=body.subject,
        body=body.body,
        format=body.format,
        now=call.now,
    )
    return await _show(call, draft.id)


async def get(call: Call) -> MailingView:
    """One mailing with its counts."""
    return await _show(call, call.id("mailing_id"))


async def replace(call: Call, body: MailingChange) -> MailingView:
    """Write a draft anew."""
    await drafts.update(
        call.connection,
        call.association_id,
        call.id("mailing_id"),
        subject=body.subject,
        body=body.body,
        format=body.format,
    )
    return await get(call)


async def remove(call: Call) -> None:
    """Throw a draft away."""
    await drafts.remove(call.connection, call.association_id, call.id("mailing_id"))


async def preview(call: Call, query: PreviewQuery) -> PreviewView:
    """The mail as one member would get it."""
    with named_by("card_id"):
        await cards.get(call.connection, call.association_id, query.card_id)
    made = await make_preview(
        call.connection, call.association_id, call.id("mailing_id"), query.card_id, call.services.identity
    )
    return PreviewView.model_validate(made, from_attributes=True)


async def send(call: Call, body: Recipients) -> SendView:
    """Send a draft to the confirmed members of the choice."""
    chosen = await choose(call, body)
    counts = await sending.send(call.connection, call.association_id, call.id("mailing_id"), chosen, call.now)
    await call.note("mailing sent", mailing=counts.mailing_id, queued=counts.queued)
    return show_counts(counts)


async def pause(call: Call) -> MailingView:
    """Let nothing more of a mailing leave for now."""
    await sending.pause(call.connection, call.association_id, call.id("mailing_id"))
    return await _turned(call, "mailing paused")


async def resume(call: Call) -> MailingView:
    """Let a paused mailing go on."""
    await sending.resume(call.connection, call.association_id, call.id("mailing_id"))
    return await _turned(call, "mailing resumed")


async def cancel(call: Call) -> MailingView:
    """Let what has not left never leave."""
    await sending.cancel(call.connection, call.association_id, call.id("mailing_id"), call.now)
    return await _turned(call, "mailing cancelled")


async def list_messages(call: Call, query: MessageQuery) -> Page[MessageView]:
    """Every recipient of a mailing, or those of one status, with the receiver's last words."""
    mailing = await history.one_mailing(call.connection, call.association_id, call.id("mailing_id"))
    rows = await history.messages(
        call.connection,
        mailing.id,
        statuses=(query.status,) if query.status else (),
        after_id=query.after_id or 0,
        limit=query.limit + 1,
    )
    return page_of(rows, query, lambda row: row.id, show_message)


async def _turned(call: Call, action: str) -> MailingView:
    await call.note(action, mailing=call.id("mailing_id"))
    return await get(call)


async def _show(call: Call, mailing_id: int) -> MailingView:
    return show(await history.one_mailing(call.connection, call.association_id, mailing_id))
