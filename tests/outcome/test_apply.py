"""What answers and reports change, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from config.vocabulary import (
    Action,
    AddressStatus,
    ConsentKind,
    EnhancedStatus,
    EventKind,
    Fault,
    MessageStatus,
    Reason,
    Reply,
    Verdict,
    VerdictStatus,
)
from engine.outcome.apply import (
    AttemptOutcome,
    Pause,
    ReportOutcome,
    apply_attempts,
    apply_reports,
    pause_site,
    unsubscribe,
)
from engine.outcome.decide import Policy, Scope
from engine.queue.retry_schedule import next_attempt
from engine.store import addresses, cards, consent
from engine.store.database import Connection, Database
from engine.store.lanes import lanes
from engine.store.message_rows import Message, counts, events_of, get
from engine.store.queue import Job, Want, claim
from engine.store.suppressions import lift
from engine.store.tables import suppression
from tests.store.association import NOW, card_status, make_association, messages_of, queue_mailing

POLICY = Policy(next_attempt)
LEASE = timedelta(minutes=15)
OK = Verdict(VerdictStatus.DELIVERED, Reason.ACCEPTED, Fault.NONE, Action.NONE)
GONE = Verdict(VerdictStatus.INVALID, Reason.USER_UNKNOWN, Fault.RECIPIENT_ADDRESS, Action.SUPPRESS, "unknown")
FULL = Verdict(VerdictStatus.SOFT_BOUNCED, Reason.MAILBOX_FULL, Fault.RECIPIENT_MAILBOX, Action.COUNT, "full")
GREY = Verdict(VerdictStatus.DEFERRED, Reason.GREYLISTED, Fault.DELAY, Action.NONE)
LISTED = Verdict(VerdictStatus.SOFT_BOUNCED, Reason.BAD_REPUTATION, Fault.SENDER, Action.NONE, "listed")
LATE = Verdict(VerdictStatus.DEFERRED, Reason.DELAYED, Fault.DELAY, Action.NONE)
ABUSE = Verdict(VerdictStatus.SPAM, Reason.COMPLAINT, Fault.COMPLAINT, Action.SUPPRESS)
AWAY = Verdict(VerdictStatus.NONE, Reason.AUTO_REPLY, Fault.NONE, Action.NONE)
ARRIVED = Verdict(VerdictStatus.DELIVERED, Reason.DELIVERED, Fault.NONE, Action.NONE)
REPLY = Reply(550, EnhancedStatus(5, 1, 1), "no such user")
IDA = "ida@example.org"


async def claim_all(connection: Connection, now: datetime = NOW, lease: str = "mine") -> list[Job]:
    wants = [Want(lane.domain, lane.mailing_id, 100) for lane in await lanes(connection, now)]
    return await claim(connection, wants, lease, now, now + LEASE)


def outcome(job: Job, verdict: Verdict, at: datetime = NOW, *, uncertain: bool = False) -> AttemptOutcome:
    return AttemptOutcome(job, verdict, REPLY, "mx.example.org", "TLSv1.3", uncertain, None, at)


def report(message_id: int, verdict: Verdict, at: datetime = NOW) -> ReportOutcome:
    return ReportOutcome(message_id, verdict, REPLY, None, at)


async def attempt(connection: Connection, verdict: Verdict, now: datetime = NOW, policy: Policy = POLICY) -> Message:
    """Claim everything due, answer it all alike, and return the first message."""
    jobs = await claim_all(connection, now)
    await apply_attempts(connection, [outcome(job, verdict, now) for job in jobs], now, policy)
    return await fresh(connection, jobs[0].message_id)


async def fresh(connection: Connection, message_id: int) -> Message:
    message = await get(connection, message_id)
    assert message is not None
    return message


async def sent_message(connection: Connection, *emails: str) -> tuple[Message, int]:
    """A message that the receiver has taken, and its card."""
    sender = await make_association(connection, emails or [IDA])
    await queue_mailing(connection, sender)
    return await attempt(connection, OK), sender.cards[0]


async def suppressions(connection: Connection) -> list[tuple[str, int | None, str]]:
    query = select(suppression.c.address_key, suppression.c.association_id, suppression.c.status)
    rows = await connection.execute(query.where(suppression.c.lifted_at.is_(None)))
    return [(key, association_id, status) for key, association_id, status in rows]


async def test_an_accepted_message_is_sent_and_nothing_is_due(database: Database) -> None:
    async with database.write() as connection:
        message, card_id = await sent_message(connection)
        assert (message.status, message.next_attempt_at, message.lease) == (MessageStatus.SENT, None, None)
        event = (await events_of(connection, message.message_id))[-1]
        assert (event.kind, event.attempt, event.host) == (EventKind.ATTEMPT, 1, "mx.example.org")
        assert await card_status(connection, card_id) == AddressStatus.CONFIRMED


async def test_an_unknown_user_makes_message_and_card_invalid_and_is_suppressed_everywhere(database: Database) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, [IDA])
        await queue_mailing(connection, sender)
        message = await attempt(connection, GONE)
        assert message.status == MessageStatus.INVALID
        assert await card_status(connection, sender.cards[0]) == AddressStatus.PROBLEM_INVALID
        assert await suppressions(connection) == [(IDA, None, "invalid")]


async def test_what_one_association_finds_out_blocks_the_message_and_the_card_of_another(database: Database) -> None:
    async with database.write() as connection:
        ours, theirs = [await make_association(connection, [IDA]) for _ in range(2)]
        await queue_mailing(connection, ours)
        await attempt(connection, GONE)
        [blocked] = await messages_of(connection, await queue_mailing(connection, theirs))
        assert blocked.status == MessageStatus.BLOCKED
        assert await card_status(connection, theirs.cards[0]) == AddressStatus.PROBLEM_BLOCKED


async def test_a_dead_address_stops_the_mail_that_waits_for_it_elsewhere(database: Database) -> None:
    async with database.write() as connection:
        ours, theirs = [await make_association(connection, [IDA]) for _ in range(2)]
        mailing_id = await queue_mailing(connection, ours)
        waiting = await queue_mailing(connection, theirs)
        [job] = await claim(connection, [Want("example.org", mailing_id, 1)], "mine", NOW, NOW + LEASE)
        await apply_attempts(connection, [outcome(job, GONE)], NOW, POLICY)
        assert await counts(connection, waiting) == {MessageStatus.BLOCKED: 1}
        assert await card_status(connection, theirs.cards[0]) == AddressStatus.PROBLEM_BLOCKED


async def test_another_address_on_the_card_is_not_hurt_by_news_of_the_old_one(database: Database) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, [IDA])
        await queue_mailing(connection, sender)
        jobs = await claim_all(connection)
        card = await cards.get(connection, sender.id, sender.cards[0])
        await cards.save(
            connection, card, replace(card.content, email="ida@new.example", address_key="ida@new.example"), NOW
        )
        await apply_attempts(connection, [outcome(jobs[0], GONE)], NOW, POLICY)
        assert await card_status(connection, sender.cards[0]) == AddressStatus.UNCONFIRMED
        assert await suppressions(connection) == [(IDA, None, "invalid")]


async def test_a_full_mailbox_is_tried_again_and_counts_a_strike(database: Database) -> None:
    async with database.write() as connection:
        await queue_mailing(connection, await make_association(connection, [IDA]))
        message = await attempt(connection, FULL)
        assert message.status == MessageStatus.SOFT_BOUNCED
        assert message.next_attempt_at is not None
        assert timedelta(minutes=5) <= message.next_attempt_at - NOW <= timedelta(minutes=6)
        assert await addresses.strikes(connection, IDA) == 1
        await attempt(connection, OK, message.next_attempt_at)
        assert await addresses.strikes(connection, IDA) == 0


@pytest.mark.parametrize(
    ("verdict", "card"),
    [
        (FULL, AddressStatus.PROBLEM_BOUNCED),
        (replace(FULL, fault=Fault.REMOTE), AddressStatus.PROBLEM_BOUNCED),
        (LISTED, AddressStatus.CONFIRMED),
        (replace(LISTED, fault=Fault.CONTENT), AddressStatus.CONFIRMED),
        (GREY, AddressStatus.CONFIRMED),
    ],
    ids=["mailbox", "remote", "sender", "content", "delay"],
)
async def test_after_five_days_only_the_members_side_marks_the_card(
    database: Database, verdict: Verdict, card: AddressStatus
) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, [IDA])
        await queue_mailing(connection, sender)
        now, tries, message = NOW, 1, await attempt(connection, verdict)
        while message.next_attempt_at is not None:
            now, tries = message.next_attempt_at, tries + 1
            message = await attempt(connection, verdict, now)
        assert (message.status, now) == (MessageStatus.BOUNCED, NOW + timedelta(days=5))
        assert 29 <= tries <= 32
        assert message.attempts == (0 if verdict is LISTED else tries)
        assert await card_status(connection, sender.cards[0]) == card
        marked = card == AddressStatus.PROBLEM_BOUNCED
        assert await suppressions(connection) == ([(IDA, None, "bounced")] if marked else [])


@pytest.mark.parametrize("lost_before", [0, 1])
async def test_a_stale_lease_changes_neither_message_nor_card_nor_address(database: Database, lost_before: int) -> None:
    """The second loss finds the message `unknown` and leaves it so: then the lease alone tells who is stale."""
    async with database.write() as connection:
        sender = await make_association(connection, [IDA])
        await queue_mailing(connection, sender)
        for number in range(lost_before):
            await claim_all(connection, NOW + number * LEASE, lease=f"lost {number}")
        [stale] = await claim_all(connection, NOW + lost_before * LEASE, lease="stale")
        later = NOW + (lost_before + 1) * LEASE
        await claim_all(connection, later, lease="fresh")
        assert not await apply_attempts(connection, [outcome(stale, GONE)], later, POLICY)
        assert await card_status(connection, sender.cards[0]) == AddressStatus.CONFIRMED
        assert await suppressions(connection) == []


async def test_an_unanswered_final_dot_is_unknown_and_sent_again(database: Database) -> None:
    async with database.write() as connection:
        await queue_mailing(connection, await make_association(connection, [IDA]))
        [job] = await claim_all(connection)
        await apply_attempts(connection, [outcome(job, OK, uncertain=True)], NOW, POLICY)
        message = await fresh(connection, job.message_id)
        assert message.status == MessageStatus.UNKNOWN
        assert message.next_attempt_at is not None
        assert (await events_of(connection, job.message_id))[-1].reason == Reason.UNCERTAIN


async def test_an_unanswered_final_dot_waits_for_a_person_where_the_policy_says_hold(database: Database) -> None:
    async with database.write() as connection:
        await queue_mailing(connection, await make_association(connection, [IDA]))
        [job] = await claim_all(connection)
        await apply_attempts(connection, [outcome(job, OK, uncertain=True)], NOW, replace(POLICY, uncertain="hold"))
        message = await fresh(connection, job.message_id)
        assert (message.status, message.next_attempt_at) == (MessageStatus.UNKNOWN, None)


async def test_a_batch_settles_every_message_as_it_was_answered(database: Database) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, [f"m{number}@example.org" for number in range(6)])
        mailing_id = await queue_mailing(connection, sender)
        jobs = await claim_all(connection)
        answers = [OK, OK, GONE, FULL, GREY, LISTED]
        outcomes = [outcome(job, verdict) for job, verdict in zip(jobs, answers, strict=True)]
        moved = await apply_attempts(connection, outcomes, NOW, POLICY)
        assert moved == {job.message_id for job in jobs}
        assert await counts(connection, mailing_id) == {
            MessageStatus.SENT: 2,
            MessageStatus.INVALID: 1,
            MessageStatus.SOFT_BOUNCED: 2,
            MessageStatus.DEFERRED: 1,
        }


async def test_a_sent_message_can_still_bounce(database: Database) -> None:
    async with database.write() as connection:
        message, card_id = await sent_message(connection)
        await apply_reports(connection, [report(message.message_id, GONE)], NOW, POLICY)
        assert (await fresh(connection, message.message_id)).status == MessageStatus.INVALID
        assert await card_status(connection, card_id) == AddressStatus.PROBLEM_INVALID
        assert (await events_of(connection, message.message_id))[-1].kind == EventKind.REPORT


async def test_a_temporary_bounce_by_mail_is_sent_again_on_the_slow_part(database: Database) -> None:
    later = NOW + timedelta(hours=3)
    async with database.write() as connection:
        message, _ = await sent_message(connection)
        await apply_reports(connection, [report(message.message_id, FULL, later)], later, POLICY)
        again = await fresh(connection, message.message_id)
        assert again.status == MessageStatus.SOFT_BOUNCED
        assert again.next_attempt_at is not None
        assert timedelta(hours=4) < again.next_attempt_at - later < timedelta(hours=5)


async def test_a_temporary_bounce_that_comes_after_five_days_is_the_end(database: Database) -> None:
    later = NOW + timedelta(days=5)
    async with database.write() as connection:
        message, card_id = await sent_message(connection)
        await apply_reports(connection, [report(message.message_id, FULL, later)], later, POLICY)
        assert (await fresh(connection, message.message_id)).status == MessageStatus.BOUNCED
        assert await card_status(connection, card_id) == AddressStatus.PROBLEM_BOUNCED


async def test_the_same_bounce_told_twice_counts_one_strike(database: Database) -> None:
    async with database.write() as connection:
        message, _ = await sent_message(connection)
        for _ in range(3):
            await apply_reports(connection, [report(message.message_id, FULL)], NOW, POLICY)
        assert await addresses.strikes(connection, IDA) == 1


async def test_a_delay_notice_defers_without_sending_again_and_success_settles_it(database: Database) -> None:
    async with database.write() as connection:
        message, _ = await sent_message(connection)
        await apply_reports(connection, [report(message.message_id, LATE)], NOW, POLICY)
        delayed = await fresh(connection, message.message_id)
        assert (delayed.status, delayed.next_attempt_at) == (MessageStatus.DEFERRED, None)
        await apply_reports(connection, [report(message.message_id, ARRIVED)], NOW, POLICY)
        assert (await fresh(connection, message.message_id)).status == MessageStatus.SENT


async def test_an_automatic_answer_only_leaves_a_line(database: Database) -> None:
    async with database.write() as connection:
        message, card_id = await sent_message(connection)
        await apply_reports(connection, [report(message.message_id, AWAY)], NOW, POLICY)
        assert await fresh(connection, message.message_id) == message
        assert (await events_of(connection, message.message_id))[-1].reason == Reason.AUTO_REPLY
        assert await card_status(connection, card_id) == AddressStatus.CONFIRMED


async def test_a_report_about_no_message_of_ours_changes_nothing(database: Database) -> None:
    async with database.write() as connection:
        assert (await apply_reports(connection, [report(4711, GONE)], NOW, POLICY)) == set()


@pytest.mark.parametrize(("scope", "blocked"), [("everywhere", True), ("association", False)])
async def test_a_complaint_reaches_as_far_as_the_installation_says(
    database: Database, scope: Scope, blocked: bool
) -> None:
    policy = replace(POLICY, scope=scope)
    async with database.write() as connection:
        message, card_id = await sent_message(connection)
        theirs = await make_association(connection, [IDA])
        waiting = await queue_mailing(connection, theirs)
        await apply_reports(connection, [report(message.message_id, ABUSE)], NOW, policy)
        assert (await fresh(connection, message.message_id)).status == MessageStatus.SPAM
        assert await card_status(connection, card_id) == AddressStatus.PROBLEM_SPAM
        assert (MessageStatus.BLOCKED in await counts(connection, waiting)) == blocked


async def test_an_unsubscribe_reaches_the_mail_that_waits_and_is_noted_as_withdrawn_consent(database: Database) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, [IDA])
        await queue_mailing(connection, sender)
        message = await attempt(connection, OK)
        waiting = await queue_mailing(connection, sender)
        assert await unsubscribe(connection, message.message_id, "one-click", NOW, "everywhere")
        assert (await fresh(connection, message.message_id)).status == MessageStatus.UNSUBSCRIBED
        assert await counts(connection, waiting) == {MessageStatus.BLOCKED: 1}
        assert await card_status(connection, sender.cards[0]) == AddressStatus.PROBLEM_UNSUBSCRIBED
        [entry] = await consent.ledger(connection, sender.cards[0])
        assert (entry.kind, entry.how) == (ConsentKind.WITHDRAWN, "one-click")


async def test_unsubscribing_twice_is_the_same_as_once(database: Database) -> None:
    async with database.write() as connection:
        message, _ = await sent_message(connection)
        for _ in range(2):
            assert await unsubscribe(connection, message.message_id, "one-click", NOW, "everywhere")
        assert len(await events_of(connection, message.message_id)) == 3
        assert len(await suppressions(connection)) == 1


async def test_unsubscribing_from_a_message_that_bounced_still_suppresses_the_address(database: Database) -> None:
    async with database.write() as connection:
        message, _ = await sent_message(connection)
        await apply_reports(connection, [report(message.message_id, GONE)], NOW, POLICY)
        await unsubscribe(connection, message.message_id, "page", NOW, "everywhere")
        assert (await fresh(connection, message.message_id)).status == MessageStatus.INVALID
        assert {status for _, _, status in await suppressions(connection)} == {"invalid", "unsubscribed"}


async def test_an_unsubscribe_from_an_unknown_message_is_refused(database: Database) -> None:
    async with database.write() as connection:
        assert not await unsubscribe(connection, 4711, "page", NOW, "everywhere")


async def test_a_lifted_suppression_lets_the_card_be_asked_again(database: Database) -> None:
    async with database.write() as connection:
        message, card_id = await sent_message(connection)
        await apply_reports(connection, [report(message.message_id, GONE)], NOW, POLICY)
        number = (await connection.execute(select(func.max(suppression.c.id)))).scalar_one()
        assert await lift(connection, number, NOW) == 1
        assert await card_status(connection, card_id) == AddressStatus.UNCONFIRMED
        assert await suppressions(connection) == []
        assert (await consent.ledger(connection, card_id))[-1].kind == ConsentKind.RESET


async def test_a_dead_site_is_held_and_gives_up_after_five_days(database: Database) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, [IDA, "bo@example.net"])
        mailing_id = await queue_mailing(connection, sender)
        pause = Pause(["example.org"], NOW + timedelta(days=4), Reason.NETWORK_ERROR, Fault.REMOTE, "no route to host")
        assert (await pause_site(connection, pause, NOW, POLICY)) == set()
        end = NOW + timedelta(days=5)
        moved = await pause_site(connection, replace(pause, until=end + LEASE), end, POLICY)
        ida, _ = await messages_of(connection, mailing_id)
        assert moved == {ida.message_id}
        assert (ida.status, ida.attempts) == (MessageStatus.BOUNCED, 0)
        assert await card_status(connection, sender.cards[0]) == AddressStatus.PROBLEM_BOUNCED


async def test_a_site_that_refused_us_for_five_days_marks_no_card(database: Database) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, [IDA])
        mailing_id = await queue_mailing(connection, sender)
        pause = Pause(["example.org"], NOW + timedelta(days=6), Reason.BLOCKED, Fault.SENDER, "5.7.1 listed")
        await pause_site(connection, pause, NOW, POLICY)
        later = NOW + timedelta(days=5)
        await pause_site(connection, replace(pause, until=later + LEASE), later, POLICY)
        assert await counts(connection, mailing_id) == {MessageStatus.BOUNCED: 1}
        assert await card_status(connection, sender.cards[0]) == AddressStatus.CONFIRMED
