"""Send a mailing to the confirmed members of a view; pause it, resume it, cancel what has not left."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from config.vocabulary import AddressStatus, MailingState, MessageStatus
from engine.errors import Conflict
from engine.lifecycle import state_of
from engine.store import alerts, associations, cards, mailings, message_rows
from engine.store.database import Connection
from engine.store.filters import Filter, check_columns
from engine.store.mailings import Mailing
from engine.store.messages import enqueue

CONTENT_REFUSED = "content_refused"
"""The kind of alert for a mailing that was paused because receivers refuse what it says."""


@dataclass(frozen=True, slots=True)
class SendCounts:
    """What a sending did: how many messages are on their way, and which cards got none, by reason.

    `mailing_id` is None where nobody was there to write to, so that no mailing was made.
    """

    mailing_id: int | None
    queued: int
    skipped: dict[str, int]


class NoConfirmedRecipient(Conflict):
    """The view holds nobody who may be written to; `skipped` counts its cards by status."""

    def __init__(self, skipped: Mapping[str, int]) -> None:
        super().__init__("no card of the view has a confirmed address; send a confirmation request first")
        self.skipped = dict(skipped)


async def send(
    connection: Connection, association_id: int, mailing_id: int, chosen: Filter, now: datetime
) -> SendCounts:
    """Queue a draft for every confirmed card of a view; the others are counted by their status.

    Raises NotFound, InvalidInput (unknown column), NoConfirmedRecipient, and Conflict where it was sent before.
    """
    mailing = await mailings.get(connection, mailing_id, association_id)
    await check_filter(connection, association_id, chosen)
    if not await mailings.turn(connection, mailing_id, [MailingState.DRAFT], MailingState.SENDING):
        raise Conflict("the mailing has been sent already")
    skipped = await count_others(connection, association_id, chosen, AddressStatus.CONFIRMED)
    recipients = cards.choose(association_id, chosen, [AddressStatus.CONFIRMED])
    if not await enqueue(connection, mailing_id, recipients, now):
        raise NoConfirmedRecipient(skipped)
    sender = await mailings.sender_of(connection, association_id, mailing.office_id, mailing.user_id)
    await mailings.note_sent(connection, mailing_id, sender, skipped, now)
    return await settled_counts(connection, mailing_id, skipped)


async def pause(connection: Connection, association_id: int, mailing_id: int) -> Mailing:
    """Let nothing more leave until it is resumed. Raises NotFound and Conflict."""
    return await _turn(connection, association_id, mailing_id, [MailingState.SENDING], MailingState.PAUSED)


async def pause_refused(connection: Connection, mailing_id: int, words: str, now: datetime) -> None:
    """Pause a mailing whose content receivers refuse, and tell the operator in their words."""
    if await mailings.turn(connection, mailing_id, [MailingState.SENDING], MailingState.PAUSED):
        await alerts.raise_alert(connection, CONTENT_REFUSED, str(mailing_id), words, now)


async def resume(connection: Connection, association_id: int, mailing_id: int) -> Mailing:
    """Let a paused mailing go on. Raises NotFound and Conflict."""
    return await _turn(connection, association_id, mailing_id, [MailingState.PAUSED], MailingState.SENDING)


async def cancel(connection: Connection, association_id: int, mailing_id: int, now: datetime) -> Mailing:
    """Take what has not left out of the queue for good; to be repeated where mail was just leaving.

    Raises NotFound and Conflict.
    """
    olds = [MailingState.SENDING, MailingState.PAUSED, MailingState.CANCELLED]
    mailing = await _turn(connection, association_id, mailing_id, olds, MailingState.CANCELLED)
    await mailings.cancel_waiting(connection, mailing_id, now)
    return mailing


async def check_filter(connection: Connection, association_id: int, chosen: Filter) -> None:
    """Raises InvalidInput for a filter on a column that the register does not have, NotFound without association."""
    check_columns((await associations.get(connection, association_id)).columns, (), chosen, ())


async def count_others(
    connection: Connection, association_id: int, chosen: Filter, wanted: AddressStatus
) -> dict[str, int]:
    """The cards of a view that do not have the wanted status, counted by the one they have."""
    counts = await cards.count_by_status(connection, association_id, chosen)
    return {status.value: count for status, count in counts.items() if status is not wanted}


async def settled_counts(connection: Connection, mailing_id: int, skipped: Mapping[str, int]) -> SendCounts:
    """What is queued, with what was refused at once (blocked, invalid) among the skipped."""
    counts = await message_rows.counts(connection, mailing_id)
    refused = {status.value: count for status, count in counts.items() if status is not MessageStatus.QUEUED}
    return SendCounts(mailing_id, counts.get(MessageStatus.QUEUED, 0), {**skipped, **refused})


async def _turn(
    connection: Connection,
    association_id: int,
    mailing_id: int,
    olds: Collection[MailingState],
    new: MailingState,
) -> Mailing:
    mailing = await mailings.get(connection, mailing_id, association_id)
    state = state_of(mailing.state, await message_rows.counts(connection, mailing_id))
    if state not in olds or not await mailings.turn(connection, mailing_id, olds, new):
        raise Conflict(f"the mailing is {state}; it cannot become {new}")
    return await mailings.get(connection, mailing_id, association_id)
