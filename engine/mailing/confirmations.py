"""Confirmation requests: the unconfirmed members of a view are asked, and a member's answer confirms the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from config.vocabulary import AddressStatus, BodyFormat, ConfirmOutcome, MailingKind, MailingState
from engine.compose.html import escape
from engine.compose.message import CONFIRM_LINK
from engine.errors import NotFound
from engine.mailing.sending import SendCounts, check_filter, count_others, settled_counts
from engine.store import cards, consent, mailings
from engine.store.consent import Question
from engine.store.database import Connection
from engine.store.filters import Filter
from engine.store.mailings import Mailing
from engine.store.messages import enqueue

TEXT_VERSION = "confirm-sv-1"
"""Stands in the ledger beside every consent; to be raised with every change of the words below."""

_SUBJECT = "Bekräfta din e-postadress till {association}"
_BODY = """Hej!

Din e-postadress finns i medlemsregistret hos {association}. Föreningen vill kunna skicka e-post till dig, och behöver \
veta att adressen är rätt och att du vill ha utskicken.

**[Bekräfta min e-postadress]({link})**

Om knappen inte fungerar kan du öppna den här adressen: {link}

Du behöver inte göra något om du inte vill ha utskick: utan din bekräftelse skickas inga.
"""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What became of a member's answer."""

    outcome: ConfirmOutcome
    association: str
    email: str


async def request_confirmations(
    connection: Connection, association_id: int, chosen: Filter, *, user_id: int, office_id: int, now: datetime
) -> SendCounts:
    """Ask every unconfirmed card of a view; those become `requested`, the others are counted by reason.

    Reasons are address statuses, `no_address`, `asked_often` (three times within a day), and what became of an
    address at once (`blocked`, `invalid`). Raises NotFound and InvalidInput (unknown column, office or user).
    """
    await check_filter(connection, association_id, chosen)
    skipped = await count_others(connection, association_id, chosen, AddressStatus.UNCONFIRMED)
    unconfirmed = (await cards.count_by_status(connection, association_id, chosen)).get(AddressStatus.UNCONFIRMED, 0)
    without = await consent.count_without_address(connection, association_id, chosen)
    mailing = await _write(connection, association_id, office_id, user_id, now)
    asked = await enqueue(connection, mailing.id, consent.askable(association_id, chosen, now), now)
    reasons = {"no_address": without, "asked_often": unconfirmed - without - asked}
    skipped |= {reason: count for reason, count in reasons.items() if count}
    if not asked:
        await mailings.remove_draft(connection, mailing.id)
        return SendCounts(None, 0, skipped)
    await mailings.turn(connection, mailing.id, [MailingState.DRAFT], MailingState.SENDING)
    await mailings.note_sent(connection, mailing.id, mailing.sender, skipped, now)
    await consent.mark_requested(connection, mailing.id, TEXT_VERSION, now)
    return await settled_counts(connection, mailing.id, skipped)


async def confirmation_of(connection: Connection, message_id: int) -> Question:
    """What a confirmation request asks, to be shown before the member answers. Raises NotFound."""
    asked = await consent.question(connection, message_id)
    if asked is None:
        raise NotFound("there is no such confirmation request")
    return asked


async def confirm(connection: Connection, message_id: int, how: str, now: datetime) -> Confirmed:
    """Take a member's answer; `how` it came stands in the ledger. Harmless to repeat. Raises NotFound."""
    asked = await confirmation_of(connection, message_id)
    if await consent.mark_confirmed(connection, asked, how, TEXT_VERSION, now):
        return Confirmed(ConfirmOutcome.CONFIRMED, asked.association, asked.asked_email)
    return Confirmed(_why_not(asked), asked.association, asked.asked_email)


def _why_not(asked: Question) -> ConfirmOutcome:
    if asked.address_key != asked.asked_key:
        return ConfirmOutcome.CHANGED
    return ConfirmOutcome.ALREADY if asked.status is AddressStatus.CONFIRMED else ConfirmOutcome.PROBLEM


async def _write(connection: Connection, association_id: int, office_id: int, user_id: int, now: datetime) -> Mailing:
    sender = await mailings.sender_of(connection, association_id, office_id, user_id)
    return await mailings.create(
        connection,
        association_id,
        office_id,
        user_id,
        kind=MailingKind.CONFIRMATION,
        subject=_SUBJECT.format(association=sender.association),
        body=_BODY.format(association=escape(sender.association), link=CONFIRM_LINK),
        body_format=BodyFormat.MARKDOWN,
        sender=sender,
        now=now,
    )
