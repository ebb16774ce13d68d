"""The one door for a message's status."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from config.vocabulary import (
    AddressStatus,
    EnhancedStatus,
    EventKind,
    Fault,
    MessageStatus,
    Reason,
    Reply,
)
from engine.store import suppressions
from engine.store.database import Connection, Database
from engine.store.message_rows import Message, counts, events_of, get
from engine.store.messages import Move, enqueue, move, move_waiting, note
from engine.store.suppressions import Suppression
from engine.store.tables import message
from tests.store.association import (
    NOW,
    card_status,
    cards_of,
    make_association,
    make_mailing,
    messages_of,
    queue_mailing,
)

LATER = NOW + timedelta(minutes=5)
ODD = "a\0b\ud800c"
FULL = Reply(452, EnhancedStatus(4, 2, 2), "mailbox full — brevlådan är full")


async def one_queued(connection: Connection, email: str = "ida@example.org") -> Message:
    sender = await make_association(connection, [email])
    return (await messages_of(connection, await queue_mailing(connection, sender)))[0]


async def test_queueing_writes_a_message_and_its_event_for_every_card(database: Database) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, ["ida@example.org", "Bo@Example.Net"])
        mailing_id = await make_mailing(connection, sender)
        assert await enqueue(connection, mailing_id, cards_of(sender), NOW) == 2
    async with database.read() as connection:
        ida, bo = await messages_of(connection, mailing_id)
        assert (ida.status, ida.next_attempt_at, ida.domain) == (MessageStatus.QUEUED, NOW, "example.org")
        assert (bo.email, bo.address_key, bo.domain) == ("Bo@Example.Net", "bo@example.net", "example.net")
        [event] = await events_of(connection, ida.message_id)
        assert (event.old, event.new, event.at) == (MessageStatus.NONE, MessageStatus.QUEUED, NOW)


async def test_queueing_again_adds_nothing(database: Database) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, ["ida@example.org"])
        mailing_id = await queue_mailing(connection, sender)
        assert await enqueue(connection, mailing_id, cards_of(sender), NOW) == 0
        assert await counts(connection, mailing_id) == {MessageStatus.QUEUED: 1}


async def test_the_domain_is_what_stands_behind_the_last_at_sign(database: Database) -> None:
    async with database.write() as connection:
        assert (await one_queued(connection, '"a@b"@example.org')).domain == "example.org"


async def test_a_malformed_address_is_invalid_without_an_attempt(database: Database) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, ["ida at example"])
        [message_row] = await messages_of(connection, await queue_mailing(connection, sender))
        assert (message_row.status, message_row.next_attempt_at) == (MessageStatus.INVALID, None)
        assert await card_status(connection, sender.cards[0]) == AddressStatus.PROBLEM_INVALID
        [event] = await events_of(connection, message_row.message_id)
        assert (event.reason, event.fault) == (Reason.BAD_ADDRESS, Fault.RECIPIENT_ADDRESS)


async def test_an_address_that_one_association_found_dead_is_blocked_for_another(database: Database) -> None:
    async with database.write() as connection:
        theirs, ours = [await make_association(connection, ["ida@example.org"]) for _ in range(2)]
        dead = Suppression("ida@example.org", None, MessageStatus.BOUNCED, Reason.DISABLED, "550 5.2.1 disabled")
        await suppressions.suppress(connection, [dead], NOW)
        [blocked] = await messages_of(connection, await queue_mailing(connection, ours))
        assert (blocked.status, blocked.next_attempt_at) == (MessageStatus.BLOCKED, None)
        assert await card_status(connection, ours.cards[0]) == AddressStatus.PROBLEM_BLOCKED
        assert await card_status(connection, theirs.cards[0]) == AddressStatus.CONFIRMED


async def test_a_suppression_of_one_association_leaves_the_others_alone(database: Database) -> None:
    async with database.write() as connection:
        theirs, ours = [await make_association(connection, ["ida@example.org"]) for _ in range(2)]
        opted_out = Suppression("ida@example.org", theirs.id, MessageStatus.UNSUBSCRIBED, Reason.OPT_OUT, "one-click")
        await suppressions.suppress(connection, [opted_out], NOW)
        assert await counts(connection, await queue_mailing(connection, ours)) == {MessageStatus.QUEUED: 1}
        assert await counts(connection, await queue_mailing(connection, theirs)) == {MessageStatus.BLOCKED: 1}


async def test_a_move_leaves_the_receivers_words_in_the_history(database: Database) -> None:
    async with database.write() as connection:
        row = await one_queued(connection)
        full = Move(
            row.message_id,
            MessageStatus.QUEUED,
            MessageStatus.SOFT_BOUNCED,
            LATER,
            Reason.MAILBOX_FULL,
            Fault.RECIPIENT_MAILBOX,
            rule="full",
            reply=FULL,
            host="mx.example.org",
            tls="TLSv1.3",
            attempt=1,
            kind=EventKind.ATTEMPT,
            next_attempt_at=LATER + timedelta(minutes=5),
        )
        assert await move(connection, [full]) == {row.message_id}
        moved = await get(connection, row.message_id)
        assert moved is not None
        assert (moved.status, moved.next_attempt_at) == (MessageStatus.SOFT_BOUNCED, LATER + timedelta(minutes=5))
        event = (await events_of(connection, row.message_id))[-1]
        assert (event.code, event.enhanced, event.text) == (452, "4.2.2", "mailbox full — brevlådan är full")
        assert (event.host, event.tls, event.attempt, event.kind) == ("mx.example.org", "TLSv1.3", 1, EventKind.ATTEMPT)


async def test_words_that_are_no_proper_text_are_kept_as_well_as_can_be(database: Database) -> None:
    async with database.write() as connection:
        row = await one_queued(connection)
        odd = Move(
            row.message_id, row.status, MessageStatus.DEFERRED, LATER, Reason.UNDEFINED, reply=Reply(451, None, ODD)
        )
        assert await move(connection, [odd]) == {row.message_id}
        assert (await events_of(connection, row.message_id))[-1].text == "a\ufffdb?c"
        await move_waiting(
            connection, message.c.id == row.message_id, row.status, LATER, reason=Reason.UNDEFINED, text=ODD
        )
        spam = Suppression("ida@example.org", None, MessageStatus.SPAM, Reason.COMPLAINT, ODD)
        await suppressions.suppress(connection, [spam], NOW)


async def test_a_message_that_has_moved_meanwhile_does_not_move(database: Database) -> None:
    async with database.write() as connection:
        row = await one_queued(connection)
        sent = Move(row.message_id, MessageStatus.QUEUED, MessageStatus.SENT, LATER, Reason.ACCEPTED)
        assert await move(connection, [sent]) == {row.message_id}
        assert await move(connection, [sent]) == set()
        assert len(await events_of(connection, row.message_id)) == 2


async def test_a_stale_lease_writes_nothing(database: Database) -> None:
    async with database.write() as connection:
        row = await one_queued(connection)
        await connection.execute(update(message).values(lease="theirs"))
        sent = Move(row.message_id, MessageStatus.QUEUED, MessageStatus.SENT, LATER, Reason.ACCEPTED, lease="mine")
        assert await move(connection, [sent]) == set()
        assert await get(connection, row.message_id) != row
        assert len(await events_of(connection, row.message_id)) == 1


async def test_a_forbidden_move_is_an_accident(database: Database) -> None:
    async with database.write() as connection:
        row = await one_queued(connection)
        with pytest.raises(ValueError, match="queued to opened"):
            await move(connection, [Move(row.message_id, row.status, MessageStatus.OPENED, LATER, Reason.ACCEPTED)])


async def test_a_note_changes_nothing(database: Database) -> None:
    async with database.write() as connection:
        row = await one_queued(connection)
        await note(
            connection,
            [Move(row.message_id, row.status, row.status, LATER, Reason.AUTO_REPLY, kind=EventKind.NOTE)],
        )
        assert await get(connection, row.message_id) == row
        assert (await events_of(connection, row.message_id))[-1].kind == EventKind.NOTE


async def test_moving_all_that_wait_leaves_those_under_way_and_those_done(database: Database) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, [f"m{number}@example.org" for number in range(4)])
        mailing_id = await queue_mailing(connection, sender)
        first, second, *_ = await messages_of(connection, mailing_id)
        await connection.execute(update(message).where(message.c.id == first.message_id).values(lease="busy"))
        await move(connection, [Move(second.message_id, second.status, MessageStatus.SENT, NOW, Reason.ACCEPTED)])
        moved = await move_waiting(
            connection, message.c.mailing_id == mailing_id, MessageStatus.BLOCKED, LATER, reason=Reason.KNOWN_BAD
        )
        assert moved == 2
        assert await counts(connection, mailing_id) == {
            MessageStatus.QUEUED: 1,
            MessageStatus.SENT: 1,
            MessageStatus.BLOCKED: 2,
        }


async def test_every_message_has_an_event_for_each_status_it_ever_had(database: Database) -> None:
    async with database.write() as connection:
        row = await one_queued(connection)
        for old, new in (("queued", "soft_bounced"), ("soft_bounced", "soft_bounced"), ("soft_bounced", "sent")):
            step = Move(row.message_id, MessageStatus(old), MessageStatus(new), LATER, Reason.UNDEFINED)
            await move(connection, [step])
        steps = [(event.old, event.new) for event in await events_of(connection, row.message_id)]
        assert [new for _, new in steps[:-1]] == [old for old, _ in steps[1:]]
        assert steps[-1][1] == (await connection.execute(select(message.c.status))).scalar_one()
