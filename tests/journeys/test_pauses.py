"""A running mailing is paused, resumed and cancelled, and members who leave are reached before their mail is sent."""

from __future__ import annotations

import asyncio
from time import monotonic

import pytest

from config.vocabulary import MailingState, MessageStatus, Reason, Reply
from dsn_parser.classify import verdict_of
from engine.clock import HandClock, SystemClock
from engine.mailing import sending
from engine.outcome.apply import ReportOutcome, apply_reports, unsubscribe
from engine.store import mailings
from engine.store.database import Database
from engine.store.messages import enqueue
from engine.store.suppressions import Suppression, suppress
from engine.wiring import policy_of
from tests.fakes.mx import FakeMx
from tests.journeys.conftest import Tell
from tests.journeys.town import Post, messages, open_town, queue_post, running, statuses, taken, wait_for, wait_for_all
from tests.store.association import NOW, cards_of, make_mailing

MEMBERS = 1200
SITES = 20


async def _do(database: Database, post: Post, what: str) -> None:
    async with database.write() as connection:
        if what == "pause":
            await sending.pause(connection, post.association.id, post.mailing_id)
        elif what == "resume":
            await sending.resume(connection, post.association.id, post.mailing_id)
        else:
            await sending.cancel(connection, post.association.id, post.mailing_id, SystemClock().now())


async def _seconds_until_quiet(receiver: FakeMx) -> float:
    """How long mail still comes in from now on; quiet is a second without any."""
    began = last = monotonic()
    mails = len(receiver.mails)
    while monotonic() - last < 1.0:
        await asyncio.sleep(0.02)
        if len(receiver.mails) > mails:
            mails, last = len(receiver.mails), monotonic()
    return last - began


@pytest.mark.slow
async def test_nothing_leaves_two_seconds_after_a_pause_or_a_cancellation(database: Database, tell: Tell) -> None:
    clock, receiver = SystemClock(), FakeMx(delay_seconds=0.03)
    domains = [f"ort{number}.example" for number in range(SITES)]
    async with open_town(dict.fromkeys(domains, receiver)) as town:
        post = await queue_post(database, [f"m{n}@{domains[n % SITES]}" for n in range(MEMBERS)], clock.now())
        async with running(town.sender(database, clock)):
            await wait_for(lambda: len(receiver.mails) >= 50)
            await _do(database, post, "pause")
            paused = await _seconds_until_quiet(receiver)
            assert len(receiver.mails) < MEMBERS
            rows = await messages(database, post)
            assert [one for one in rows if one.lease] == []
            assert sum(one.status is MessageStatus.SENT for one in rows) == len(receiver.mails)
            before = len(receiver.mails)
            await _do(database, post, "resume")
            await wait_for(lambda: len(receiver.mails) >= before + 50)
            await _do(database, post, "cancel")
            cancelled = await _seconds_until_quiet(receiver)
        await _do(database, post, "cancel")
    tell(f"the last mail left {paused:.2f} s after a pause, {cancelled:.2f} s after a cancellation")
    assert max(paused, cancelled) < 2
    counts = await statuses(database, post)
    assert counts[MessageStatus.SENT] == len(receiver.mails) == len(set(taken(receiver))) < MEMBERS
    assert set(counts) == {MessageStatus.SENT, MessageStatus.NONE}


@pytest.mark.slow
async def test_a_mailing_paused_and_resumed_again_and_again_reaches_everybody_once(database: Database) -> None:
    clock, receiver = SystemClock(), FakeMx(delay_seconds=0.005)
    async with open_town({"ort.example": receiver, "by.example": receiver}) as town:
        post = await queue_post(database, [f"m{n}@{('ort', 'by')[n % 2]}.example" for n in range(400)], clock.now())
        async with running(town.sender(database, clock)):
            for mails in (40, 80, 120):
                await wait_for(lambda mails=mails: len(receiver.mails) >= mails)  # type: ignore[misc]  # bound at once
                await _do(database, post, "pause")
                await asyncio.sleep(0.1)
                await _do(database, post, "resume")
            await wait_for_all(database, post, MessageStatus.SENT)
    assert len(taken(receiver)) == len(set(taken(receiver))) == 400


async def test_who_leaves_or_complains_while_a_mail_waits_does_not_get_it(database: Database) -> None:
    clock, receiver = HandClock(NOW), FakeMx()
    async with open_town({"ort.example": receiver}) as town:
        outbound, policy = town.sender(database, clock), policy_of(town.settings())
        post = await queue_post(database, [f"m{n}@ort.example" for n in range(6)], NOW)
        await outbound.run_until_idle()
        first = await messages(database, post)
        async with database.write() as connection:
            second = Post(post.association, await make_mailing(connection, post.association, NOW))
            await enqueue(connection, second.mailing_id, cards_of(post.association), NOW)
            await unsubscribe(connection, first[0].message_id, "one-click", NOW, policy.scope)
            complaint = ReportOutcome(
                first[1].message_id, verdict_of(Reason.COMPLAINT), Reply(0, text="abuse"), None, NOW
            )
            await apply_reports(connection, [complaint], NOW, policy)
            by_hand = Suppression(first[2].address_key, None, MessageStatus.BOUNCED, Reason.DISABLED, "by hand")
            await suppress(connection, [by_hand], NOW)
        await outbound.run_until_idle()
        await outbound.close()
    rows = await messages(database, second)
    ends = [one.status for one in rows]
    assert MessageStatus.SENT not in ends[:3]
    assert ends[3:] == [MessageStatus.SENT] * 3
    assert not {one.message_id for one in rows[:3]} & set(taken(receiver))


async def test_a_state_that_changed_elsewhere_is_seen_before_anything_is_claimed(database: Database) -> None:
    clock, receiver = HandClock(NOW), FakeMx()
    async with open_town({"ort.example": receiver}) as town:
        outbound = town.sender(database, clock)
        post = await queue_post(database, [f"m{n}@ort.example" for n in range(6)], NOW)
        await _do(database, post, "pause")
        assert await outbound.run_until_idle() == 0
        async with database.read() as connection:
            assert (await mailings.get(connection, post.mailing_id)).state is MailingState.PAUSED
        await _do(database, post, "resume")
        assert await outbound.run_until_idle() == 6
        await outbound.close()
    assert await statuses(database, post) == {MessageStatus.SENT: 6}
