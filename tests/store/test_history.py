"""What became of everything, on both databases."""

from __future__ import annotations

import pytest

from config.vocabulary import MailingState, MessageStatus, Reason
from engine.errors import Conflict, NotFound
from engine.mailing import sending
from engine.store import by_hand, history, operations
from engine.store.database import Database
from engine.store.suppressions import Suppression
from tests.store.association import NOW, card_status, make_association, make_mailing, queue_mailing

EMAILS = ("ida@a.example", "bo@a.example", "inte en adress")


async def test_mailings_come_newest_first_with_their_counts(database: Database) -> None:
    async with database.write() as connection:
        club = await make_association(connection, EMAILS)
        first, second = await make_mailing(connection, club), await queue_mailing(connection, club)
        rows = await history.mailings(connection, club.id)
        assert [row.id for row in rows] == [second, first]
        assert rows[0].counts == {MessageStatus.QUEUED: 2, MessageStatus.INVALID: 1}
        assert (rows[0].total, rows[1].total) == (3, 0)
        assert await history.mailings(connection, club.id, before_id=second) == rows[1:]


async def test_a_mailing_is_finished_once_nothing_of_it_waits(database: Database) -> None:
    async with database.write() as connection:
        club = await make_association(connection, ["ida@a.example"])
        mailing = await queue_mailing(connection, club)
        assert (await history.one_mailing(connection, club.id, mailing)).state is MailingState.SENDING
        opt_out = Suppression("ida@a.example", None, MessageStatus.UNSUBSCRIBED, Reason.OPT_OUT, "ringde")
        await by_hand.suppress_by_hand(connection, opt_out, NOW)
        row = await history.one_mailing(connection, club.id, mailing)
        assert (row.state, row.waiting) == (MailingState.FINISHED, 0)
        with pytest.raises(Conflict):
            await sending.pause(connection, club.id, mailing)


async def test_another_associations_mailing_and_message_look_unknown(database: Database) -> None:
    async with database.write() as connection:
        club, other = await make_association(connection, EMAILS), await make_association(connection, [])
        mailing = await queue_mailing(connection, club)
        message = (await history.messages(connection, mailing))[0]
        with pytest.raises(NotFound):
            await history.one_mailing(connection, other.id, mailing)
        with pytest.raises(NotFound):
            await history.one_message(connection, other.id, message.id)


async def test_messages_of_one_status_come_in_pages(database: Database) -> None:
    async with database.write() as connection:
        club = await make_association(connection, EMAILS)
        mailing = await queue_mailing(connection, club)
        queued = await history.messages(connection, mailing, statuses=[MessageStatus.QUEUED])
        assert [row.email for row in queued] == ["ida@a.example", "bo@a.example"]
        invalid, *rest = await history.messages(connection, mailing)
        assert (invalid.status, rest) == (MessageStatus.INVALID, queued)
        assert await history.messages(connection, mailing, limit=1) == [invalid]
        assert await history.messages(connection, mailing, after_id=invalid.id, limit=1) == queued[:1]


async def test_a_message_is_told_with_its_events(database: Database) -> None:
    async with database.write() as connection:
        club = await make_association(connection, EMAILS)
        mailing = await queue_mailing(connection, club)
        message = await history.message_for_card(connection, mailing, club.cards[0])
        assert message is not None
        assert await history.messages_of_card(connection, club.cards[0]) == [message]
        assert [event.new for event in await history.events(connection, message.id)] == [MessageStatus.QUEUED]
        assert (await history.linked(connection, message.id)).email == "ida@a.example"
        assert (await history.count_messages(connection))[MessageStatus.QUEUED] == 2


async def test_a_suppression_by_hand_reaches_cards_and_waiting_mail(database: Database) -> None:
    async with database.write() as connection:
        club = await make_association(connection, EMAILS)
        mailing = await queue_mailing(connection, club)
        one = Suppression("ida@a.example", club.id, MessageStatus.UNSUBSCRIBED, Reason.OPT_OUT, "ringde")
        await by_hand.suppress_by_hand(connection, one, NOW)
        assert await card_status(connection, club.cards[0]) == "problem_unsubscribed"
        counts = (await history.one_mailing(connection, club.id, mailing)).counts
        assert counts == {MessageStatus.QUEUED: 1, MessageStatus.BLOCKED: 1, MessageStatus.INVALID: 1}


async def test_an_association_sees_only_suppressions_of_its_own_members(database: Database) -> None:
    async with database.write() as connection:
        club, other = await make_association(connection, EMAILS), await make_association(connection, [])
        one = Suppression("ida@a.example", None, MessageStatus.BOUNCED, Reason.MOVED, "550 moved")
        await by_hand.suppress_by_hand(connection, one, NOW)
        assert [row.evidence for row in await operations.suppressions_seen_by(connection, club.id)] == ["550 moved"]
        assert await operations.suppressions_seen_by(connection, other.id) == []
        assert len(await operations.suppressions(connection, address_key="ida@a.example")) == 1
