"""A rule that was wrong is put right in what is stored, and taken back to the letter; on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from config.vocabulary import AddressStatus, ConsentKind, EnhancedStatus, MessageStatus, Reason, Reply, Verdict
from dsn_parser.classify import verdict_of
from engine.outcome.apply import AttemptOutcome, ReportOutcome, apply_attempts, apply_reports
from engine.outcome.decide import Policy
from engine.outcome.reclassify import Change, apply_changes, find_changes, undo_last
from engine.queue.retry_schedule import next_attempt
from engine.store import consent, messages
from engine.store.corrections import Meaning
from engine.store.database import Connection, Database
from engine.store.lanes import lanes
from engine.store.message_rows import Message, events_of, get_many
from engine.store.messages import Move
from engine.store.queue import Want, claim
from engine.store.tables import card, message, suppression
from tests.store.association import NOW, Association, card_status, make_association, messages_of, queue_mailing

POLICY = Policy(next_attempt)
IDA, OVE = "ida@example.org", "ove@example.org"
REFUSAL = Reply(550, EnhancedStatus(5, 7, 1), "the words that were misunderstood")
LATER = NOW + timedelta(hours=2)
MUCH_LATER = NOW + timedelta(days=9)


class Judge:
    """Today's rules: what the misunderstood words really mean."""

    def __init__(self, reason: Reason) -> None:
        self.verdict = replace(verdict_of(reason), rule="today/1")

    async def __call__(self, meanings: Sequence[Meaning], known: Mapping[int, Message]) -> Sequence[Verdict | None]:
        return [self.verdict if one.reply.text == REFUSAL.text else None for one in meanings]


async def refuse(connection: Connection, reason: Reason, *emails: str) -> tuple[Association, list[Message]]:
    """A mailing of which every message was refused in the words, which were taken for `reason`."""
    sender = await make_association(connection, emails or [IDA])
    here = card.c.association_id == sender.id
    await consent.note_where(connection, here, ConsentKind.CONFIRMED, "web", NOW)
    mailing_id = await queue_mailing(connection, sender)
    wants = [Want(lane.domain, lane.mailing_id, 100) for lane in await lanes(connection, NOW)]
    jobs = await claim(connection, wants, "mine", NOW, NOW + timedelta(minutes=15))
    verdict = verdict_of(reason, "yesterday/1")
    outcomes = [AttemptOutcome(job, verdict, REFUSAL, "mx [127.0.0.1]", "", False, None, NOW, "rcpt") for job in jobs]
    await apply_attempts(connection, outcomes, NOW, POLICY)
    return sender, await messages_of(connection, mailing_id)


async def reclassify(database: Database, reason: Reason, at: Any = LATER) -> list[Change]:
    changes = await find_changes(database, Judge(reason), at, POLICY)
    await apply_changes(database, changes, at, POLICY)
    return changes


async def state_of(database: Database) -> list[object]:
    """Everything that a run may touch, histories apart."""
    async with database.read() as connection:
        kept = [message.c.id, message.c.status, message.c.reason, message.c.next_attempt_at, message.c.last_reply]
        struck = [suppression.c.id, suppression.c.address_key, suppression.c.status, suppression.c.lifted_at]
        queries = [select(*kept).order_by(message.c.id), select(*struck).order_by(suppression.c.id)]
        queries.append(select(card.c.id, card.c.status).order_by(card.c.id))
        return [tuple(row) for query in queries for row in await connection.execute(query)]


async def status_of(database: Database, one: Message) -> MessageStatus:
    async with database.read() as connection:
        return (await get_many(connection, [one.message_id]))[one.message_id].status


async def test_a_dry_run_tells_and_changes_nothing(database: Database) -> None:
    async with database.write() as connection:
        _, (ida,) = await refuse(connection, Reason.USER_UNKNOWN)
    before = await state_of(database)
    (change,) = await find_changes(database, Judge(Reason.POLICY), LATER, POLICY)
    assert (change.meaning.reason, change.verdict.reason) == (Reason.USER_UNKNOWN, Reason.POLICY)
    assert change.message == ida
    assert await state_of(database) == before


async def test_a_member_struck_for_our_own_fault_is_freed_confirmed_again_and_written_to_again(
    database: Database,
) -> None:
    async with database.write() as connection:
        sender, (ida,) = await refuse(connection, Reason.USER_UNKNOWN)
        assert await card_status(connection, sender.cards[0]) == AddressStatus.PROBLEM_INVALID
    await reclassify(database, Reason.POLICY)
    assert await status_of(database, ida) == MessageStatus.SOFT_BOUNCED
    async with database.read() as connection:
        assert await card_status(connection, sender.cards[0]) == AddressStatus.CONFIRMED
        assert len(await lanes(connection, LATER + timedelta(hours=6))) == 1
        last = (await events_of(connection, ida.message_id))[-1]
        assert (last.reason, last.rule, last.text) == (Reason.POLICY, "today/1", REFUSAL.text)
    assert await find_changes(database, Judge(Reason.POLICY), LATER, POLICY) == []


async def test_after_the_days_of_trying_the_member_is_freed_and_the_message_stays_bounced(database: Database) -> None:
    async with database.write() as connection:
        sender, (ida,) = await refuse(connection, Reason.USER_UNKNOWN)
    await reclassify(database, Reason.POLICY, MUCH_LATER)
    assert await status_of(database, ida) == MessageStatus.BOUNCED
    async with database.read() as connection:
        assert await card_status(connection, sender.cards[0]) == AddressStatus.CONFIRMED


async def test_what_should_have_struck_does_now(database: Database) -> None:
    async with database.write() as connection:
        sender, (ida,) = await refuse(connection, Reason.POLICY)
    await reclassify(database, Reason.USER_UNKNOWN)
    assert await status_of(database, ida) == MessageStatus.INVALID
    async with database.read() as connection:
        assert await card_status(connection, sender.cards[0]) == AddressStatus.PROBLEM_INVALID


async def test_undo_takes_the_last_run_back_exactly(database: Database) -> None:
    for taken, really in ((Reason.USER_UNKNOWN, Reason.POLICY), (Reason.POLICY, Reason.DISABLED)):
        async with database.write() as connection:
            await refuse(connection, taken, f"{taken}-{IDA}", f"{taken}-{OVE}")
        before = await state_of(database)
        await reclassify(database, really)
        assert await state_of(database) != before
        assert (await undo_last(database, LATER + timedelta(hours=1)))[1] == 0
        assert await state_of(database) == before
        await reclassify(database, really, LATER + timedelta(hours=3))


async def test_there_is_nothing_to_undo_twice(database: Database) -> None:
    async with database.write() as connection:
        await refuse(connection, Reason.USER_UNKNOWN)
    await reclassify(database, Reason.POLICY)
    assert await undo_last(database, LATER) == (1, 0)
    assert await undo_last(database, LATER) == (0, 0)


async def test_a_second_run_and_its_undo_leave_the_first_one_standing(database: Database) -> None:
    async with database.write() as connection:
        _, (ida,) = await refuse(connection, Reason.USER_UNKNOWN)
    await reclassify(database, Reason.POLICY)
    first = await state_of(database)
    await reclassify(database, Reason.DISABLED, LATER + timedelta(hours=1))
    assert await status_of(database, ida) == MessageStatus.BOUNCED
    await undo_last(database, LATER + timedelta(hours=2))
    assert await state_of(database) == first


async def test_another_message_that_vouches_for_it_keeps_the_address_suppressed(database: Database) -> None:
    async with database.write() as connection:
        sender, _ = await refuse(connection, Reason.USER_UNKNOWN)
        other = await make_association(connection, [IDA])
        (second,) = await messages_of(connection, await queue_mailing(connection, other))
        gone = Move(second.message_id, second.status, MessageStatus.INVALID, NOW, Reason.USER_UNKNOWN, reply=Reply(550))
        assert await messages.correct(connection, [gone._replace(old=second.status)]) == {second.message_id}
    await reclassify(database, Reason.POLICY)
    async with database.read() as connection:
        assert await card_status(connection, sender.cards[0]) == AddressStatus.PROBLEM_INVALID


async def test_what_has_moved_on_since_is_only_noted(database: Database) -> None:
    async with database.write() as connection:
        _, (ida,) = await refuse(connection, Reason.POLICY)
        away = Move(ida.message_id, ida.status, MessageStatus.NONE, LATER, Reason.CANCELLED)
        await messages.move(connection, [away])
    (change,) = await reclassify(database, Reason.USER_UNKNOWN)
    assert change.decision is None
    assert await status_of(database, ida) == MessageStatus.NONE
    assert await find_changes(database, Judge(Reason.USER_UNKNOWN), LATER, POLICY) == []


async def test_a_report_that_was_no_bounce_leaves_the_message_sent(database: Database) -> None:
    async with database.write() as connection:
        sender, (ida,) = await refuse(connection, Reason.ACCEPTED)
        assert ida.status == MessageStatus.SENT
        report = ReportOutcome(ida.message_id, verdict_of(Reason.USER_UNKNOWN), REFUSAL, None, NOW)
        await apply_reports(connection, [report], NOW, POLICY)
    await reclassify(database, Reason.AUTO_REPLY)
    assert await status_of(database, ida) == MessageStatus.SENT
    async with database.read() as connection:
        assert await card_status(connection, sender.cards[0]) == AddressStatus.CONFIRMED


async def test_a_message_under_way_is_left_alone(database: Database) -> None:
    async with database.write() as connection:
        _, (ida,) = await refuse(connection, Reason.POLICY)
        when = NOW + timedelta(hours=1)
        wants = [Want(lane.domain, lane.mailing_id, 9) for lane in await lanes(connection, when)]
        assert await claim(connection, wants, "another", when, MUCH_LATER)
    (change,) = await reclassify(database, Reason.USER_UNKNOWN)
    assert change.decision is None
    assert await status_of(database, ida) == MessageStatus.SOFT_BOUNCED
