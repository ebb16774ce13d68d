"""One mail to one member by API, with everything that happened to it."""

from __future__ import annotations

from datetime import datetime

from admin_api.endpoint import Call
from admin_api.shapes import Shape
from config.vocabulary import MessageStatus
from engine.store import history
from engine.store.history import EventRow, MessageRow


class MessageView(Shape):
    """One message as it stands now."""

    id: int
    mailing_id: int
    card_id: int
    email: str
    first_name: str
    last_name: str
    status: MessageStatus
    reason: str | None
    attempts: int
    last_reply: str | None
    site: str | None
    created_at: datetime
    first_attempt_at: datetime | None
    next_attempt_at: datetime | None
    updated_at: datetime


class EventView(Shape):
    """One thing that happened to a message, with the receiver's own words."""

    id: int
    at: datetime
    kind: str
    old: MessageStatus
    new: MessageStatus
    attempt: int
    reason: str
    fault: str
    rule: str
    code: int
    enhanced: str
    text: str
    host: str
    tls: str
    report_id: int | None


class MessageStory(MessageView):
    """One message and its events, oldest first."""

    events: list[EventView]


def show(row: MessageRow) -> MessageView:
    return MessageView.model_validate({name: getattr(row, name) for name in MessageView.model_fields})


def show_event(row: EventRow) -> EventView:
    return EventView.model_validate(row, from_attributes=True)


async def get(call: Call) -> MessageStory:
    """One message and its whole story."""
    message = await history.one_message(call.connection, call.association_id, call.id("message_id"))
    events = await history.events(call.connection, message.id)
    return MessageStory(**dict(show(message)), events=[show_event(event) for event in events])
