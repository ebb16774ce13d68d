"""What time alone settles."""

from __future__ import annotations

from datetime import timedelta

from config.vocabulary import MailingState, MessageStatus, Reason
from engine.outcome.housekeeping import tidy
from engine.store import mailings
from engine.store.database import Database
from engine.store.message_rows import counts, get
from engine.store.messages import Move, move
from tests.store.association import NOW, make_association, messages_of, queue_mailing


async def test_a_delay_notice_with_nothing_after_it_is_sent_again_after_six_days(database: Database) -> None:
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, ["ida@example.org"]))
        [row] = await messages_of(connection, mailing_id)
        for old, new in ((row.status, MessageStatus.SENT), (MessageStatus.SENT, MessageStatus.DEFERRED)):
            await move(connection, [Move(row.message_id, old, new, NOW, Reason.DELAYED)])
        assert await tidy(connection, NOW + timedelta(days=6)) == 0
        assert await tidy(connection, NOW + timedelta(days=6, seconds=1)) == 1
        settled = await get(connection, row.message_id)
        assert settled is not None
        assert settled.status == MessageStatus.SENT


async def test_what_waits_to_be_tried_again_is_left_alone(database: Database) -> None:
    later = NOW + timedelta(days=30)
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, ["ida@example.org"]))
        [row] = await messages_of(connection, mailing_id)
        wait = Move(row.message_id, row.status, MessageStatus.DEFERRED, NOW, Reason.GREYLISTED, next_attempt_at=later)
        await move(connection, [wait])
        assert await tidy(connection, later) == 0


async def test_the_rest_of_a_cancelled_mailing_leaves_the_queue(database: Database) -> None:
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, ["ida@example.org"]))
        await mailings.turn(connection, mailing_id, [MailingState.SENDING], MailingState.CANCELLED)
        assert await tidy(connection, NOW) == 1
        assert await counts(connection, mailing_id) == {MessageStatus.NONE: 1}
