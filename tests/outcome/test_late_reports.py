"""News that comes late or twice strikes nobody whom a person has freed meanwhile; leaving stays free."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from config.vocabulary import AddressStatus, MessageStatus
from engine.outcome.apply import apply_reports, unsubscribe
from engine.store.database import Connection, Database
from engine.store.message_rows import Message
from engine.store.suppressions import lift
from engine.store.tables import card, suppression
from tests.outcome.test_apply import ABUSE, GONE, IDA, OK, POLICY, attempt, fresh, report, suppressions
from tests.store.association import NOW, card_status, make_association, queue_mailing

HOUR = timedelta(hours=1)


async def two_mails(connection: Connection) -> tuple[Message, Message]:
    """Two mailings that Ida got."""
    sender = await make_association(connection, [IDA])
    await queue_mailing(connection, sender)
    first = await attempt(connection, OK)
    await queue_mailing(connection, sender)
    return first, await attempt(connection, OK)


async def lift_all(connection: Connection, hours: int) -> None:
    """Somebody has looked, lifts what there is, and Ida says yes again."""
    numbers = (await connection.execute(select(suppression.c.id).where(suppression.c.lifted_at.is_(None)))).scalars()
    for number in list(numbers):
        await lift(connection, number, NOW + hours * HOUR)
    await connection.execute(card.update().values(status=AddressStatus.CONFIRMED))


async def test_a_late_bounce_of_older_mail_does_not_strike_an_address_that_was_freed(database: Database) -> None:
    async with database.write() as connection:
        first, second = await two_mails(connection)
        await apply_reports(connection, [report(first.message_id, GONE)], NOW + HOUR, POLICY)
        await lift_all(connection, 2)
        await apply_reports(connection, [report(second.message_id, GONE)], NOW + 3 * HOUR, POLICY)
        assert (await fresh(connection, second.message_id)).status is MessageStatus.INVALID
        assert await card_status(connection, first.card_id) is AddressStatus.CONFIRMED
        assert await suppressions(connection) == []


async def test_the_next_mail_tells_whether_a_freed_address_is_dead(database: Database) -> None:
    async with database.write() as connection:
        first, second = await two_mails(connection)
        await apply_reports(connection, [report(first.message_id, GONE)], NOW, POLICY)
        await lift_all(connection, -1)
        await apply_reports(connection, [report(second.message_id, GONE)], NOW, POLICY)
        assert await card_status(connection, first.card_id) is AddressStatus.PROBLEM_INVALID


async def test_a_complaint_that_is_told_again_does_not_strike_an_address_that_was_freed(database: Database) -> None:
    async with database.write() as connection:
        first, _ = await two_mails(connection)
        await apply_reports(connection, [report(first.message_id, ABUSE)], NOW, POLICY)
        await lift_all(connection, 1)
        await apply_reports(connection, [report(first.message_id, ABUSE)], NOW + 2 * HOUR, POLICY)
        assert await suppressions(connection) == []


async def test_a_new_complaint_counts_though_the_address_was_freed_since(database: Database) -> None:
    async with database.write() as connection:
        first, second = await two_mails(connection)
        await apply_reports(connection, [report(first.message_id, ABUSE)], NOW, POLICY)
        await lift_all(connection, 1)
        await apply_reports(connection, [report(second.message_id, ABUSE)], NOW + 2 * HOUR, POLICY)
        assert await card_status(connection, first.card_id) is AddressStatus.PROBLEM_SPAM


async def test_who_came_back_may_leave_again_by_the_same_link(database: Database) -> None:
    async with database.write() as connection:
        first, _ = await two_mails(connection)
        for hours in (0, 2):
            assert await unsubscribe(connection, first.message_id, "one-click", NOW + hours * HOUR, "everywhere")
            assert await card_status(connection, first.card_id) is AddressStatus.PROBLEM_UNSUBSCRIBED
            await lift_all(connection, hours + 1)
