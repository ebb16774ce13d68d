"""A register that looks like a real one, with a mailing behind it that went as mailings go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update

from config.vocabulary import BodyFormat, EnhancedStatus, EventKind, Fault, MessageStatus, Operator, Reason, Reply
from engine.lifecycle import CARD_STATUS_OF
from engine.mailing import confirmations, drafts, sending
from engine.register import associations, cards, offices, views
from engine.register.views import EVERY_CARD, Condition, Filter
from engine.store import history, messages, users
from engine.store.card_status import Turn, turn
from engine.store.database import Connection
from engine.store.history import MessageRow
from engine.store.messages import Move
from engine.store.tables import message
from tests.api.world import NOW, World, password_hash

SECRETARY = "siv.lind@sjoviken.example"
_FIRST = (
    "Ida",
    "Mattias",
    "Aino",
    "Björn",
    "Cecilia",
    "Daniel",
    "Elin",
    "Fredrik",
    "Greta",
    "Hampus",
    "Ingrid",
    "Jonas",
)
_LAST = (
    "Idunsson",
    "Medlemsson",
    "Berg",
    "Dahl",
    "Ek",
    "Forsman",
    "Grönlund",
    "Holm",
    "Lindqvist",
    "Nyström",
    "Åberg",
    "Öman",
)
_TOWNS = ("Umeå", "Robertsfors", "Vännäs", "Skellefteå")
_MEMBERS = 48


@dataclass(frozen=True, slots=True)
class Town:
    """The numbers of what was made."""

    slug: str
    ida_id: int
    mailing_id: int


@dataclass(frozen=True, slots=True)
class _Fate:
    """How one message ends, in the receiver's words."""

    status: MessageStatus
    reason: Reason
    fault: Fault
    reply: Reply


_ACCEPTED = _Fate(
    MessageStatus.SENT, Reason.ACCEPTED, Fault.NONE, Reply(250, EnhancedStatus(2, 0, 0), "OK queued as 4Xy7")
)
_FATES = {
    3: _Fate(
        MessageStatus.SOFT_BOUNCED,
        Reason.MAILBOX_FULL,
        Fault.RECIPIENT_MAILBOX,
        Reply(452, EnhancedStatus(4, 2, 2), "The email account that you tried to reach is over quota."),
    ),
    7: _Fate(
        MessageStatus.INVALID,
        Reason.USER_UNKNOWN,
        Fault.RECIPIENT_ADDRESS,
        Reply(550, EnhancedStatus(5, 1, 1), "No such user here"),
    ),
    11: _Fate(
        MessageStatus.DEFERRED,
        Reason.GREYLISTED,
        Fault.DELAY,
        Reply(451, EnhancedStatus(4, 7, 1), "Greylisted, please come back in 5 minutes"),
    ),
    15: _Fate(
        MessageStatus.BOUNCED,
        Reason.DISABLED,
        Fault.RECIPIENT_MAILBOX,
        Reply(554, EnhancedStatus(5, 2, 1), "Mailbox disabled, not accepting messages"),
    ),
}


async def build_town(world: World) -> Town:
    async with world.database.write() as connection:
        made = await associations.create(connection, "Sjövikens hembygdsförening", NOW, columns=["Ort", "Medlem sedan"])
        office = await offices.create(connection, made.id, "Kansliet i Sjöviken", NOW)
        await offices.create(connection, made.id, "Museet", NOW)
        person = await users.create(
            connection, made.id, name="Siv Lind", email=SECRETARY, password_hash=password_hash(), now=NOW
        )
        for number in range(_MEMBERS):
            await cards.create(connection, made.id, _member(number), NOW)
        await _save_views(connection, made.id)
        asked = await confirmations.request_confirmations(
            connection, made.id, EVERY_CARD, user_id=person.id, office_id=office.id, now=NOW - timedelta(days=20)
        )
        assert asked.mailing_id is not None
        requests = await _messages_by_card(connection, asked.mailing_id)
        await _settle(connection, requests, {}, NOW - timedelta(days=20))
        for number, message in enumerate(requests):
            if number % 8 != 5:
                await confirmations.confirm(connection, message.id, "page", NOW - timedelta(days=19))
        mailing_id = await _mail(connection, made.id, office.id, person.id)
        for number in range(3):
            await cards.create(connection, made.id, _member(100 + number), NOW)
        return Town(made.slug, requests[0].card_id, mailing_id)


def _member(number: int) -> dict[str, str]:
    first, last = _FIRST[number % len(_FIRST)], _LAST[(number * 5 + number // 12) % len(_LAST)]
    if number == 0:
        first, last = "Ida", "Idunsson"
    plain = f"{first}.{last}".lower().translate(str.maketrans("åäö", "aao"))
    joined = str(1998 + number % 27)
    email = f"{plain}{number or ''}@{'exempel.se' if number % 3 else 'post.example'}"
    return {"first_name": first, "last_name": last, "email": email, "Ort": _TOWNS[number % 4], "Medlem sedan": joined}


async def _save_views(connection: Connection, association_id: int) -> None:
    for town in _TOWNS[:2]:
        here = Filter((Condition("Ort", Operator.EQUALS, town),))
        await views.create(
            connection,
            association_id,
            f"Bor i {town}",
            NOW,
            columns=("last_name", "first_name", "email", "status", "Ort"),
            filter=here,
        )


async def _mail(connection: Connection, association_id: int, office_id: int, user_id: int) -> int:
    sent_at = NOW - timedelta(days=3)
    draft = await drafts.create(
        connection,
        association_id,
        office_id,
        user_id,
        subject="Kallelse till årsmötet, %FIRST_NAME%",
        body="# Årsmöte\n\nHej %NAME%!\n\nVälkommen till hembygdsgården **den 15 mars klockan 14**.",
        format=BodyFormat.MARKDOWN,
        now=sent_at,
    )
    await sending.send(connection, association_id, draft.id, EVERY_CARD, sent_at)
    await _settle(connection, await _messages_by_card(connection, draft.id), _FATES, sent_at)
    return draft.id


async def _messages_by_card(connection: Connection, mailing_id: int) -> list[MessageRow]:
    """The messages in the order in which the members were written down: Ida's is the first."""
    return sorted(await history.messages(connection, mailing_id), key=lambda message: message.card_id)


async def _settle(connection: Connection, rows: list[MessageRow], fates: dict[int, _Fate], at: datetime) -> None:
    """Let every message meet its fate; the first one is Ida's, whose mailbox is full."""
    for number, row in enumerate(rows):
        fate = fates.get(3 if number == 0 and fates else number, _ACCEPTED)
        waits = fate.status in (MessageStatus.SOFT_BOUNCED, MessageStatus.DEFERRED)
        move = Move(
            row.id,
            MessageStatus.QUEUED,
            fate.status,
            at + timedelta(minutes=2),
            fate.reason,
            fate.fault,
            reply=fate.reply,
            host="mx1.exempel.se",
            tls="TLSv1.3",
            attempt=1,
            kind=EventKind.ATTEMPT,
            next_attempt_at=NOW + timedelta(hours=4) if waits else None,
        )
        await messages.move(connection, [move])
        await connection.execute(update(message).where(message.c.id == row.id).values(attempts=1))
        if card_status := CARD_STATUS_OF.get(fate.status):
            key = row.email.lower()
            await turn(connection, [Turn(row.card_id, key, card_status)], at)
