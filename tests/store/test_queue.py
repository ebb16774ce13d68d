"""The durable queue: lanes, claims, leases and holds."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from config.vocabulary import AddressStatus, EventKind, Fault, MailingState, MessageStatus, Reason, ServiceRole
from engine.store import mailings, messages, suppressions
from engine.store.database import Connection, Database
from engine.store.lanes import lanes, next_due
from engine.store.message_rows import counts, events_of, get
from engine.store.messages import Move
from engine.store.queue import Job, Want, claim, end_leases, lease_of, release, renew
from engine.store.suppressions import Suppression
from engine.store.tables import message
from engine.store.waiting import hold, overdue, sweep_cancelled
from tests.store.association import NOW, card_status, make_association, messages_of, queue_mailing

LEASE = timedelta(minutes=15)
EMAILS = ["a@one.example", "b@one.example", "c@one.example", "d@two.example"]


async def claim_all(connection: Connection, now: datetime = NOW, *, lease: str = "mine", limit: int = 100) -> list[Job]:
    wants = [Want(lane.domain, lane.mailing_id, limit) for lane in await lanes(connection, now)]
    return await claim(connection, wants, lease, now, now + LEASE)


async def test_a_lane_is_a_mailing_and_a_domain_with_something_due(database: Database) -> None:
    async with database.write() as connection:
        first = await queue_mailing(connection, await make_association(connection, EMAILS))
        second = await queue_mailing(connection, await make_association(connection, EMAILS[:1]))
        found = {(lane.domain, lane.mailing_id) for lane in await lanes(connection, NOW)}
        assert found == {("one.example", first), ("two.example", first), ("one.example", second)}
        assert await lanes(connection, NOW - timedelta(seconds=1)) == []


async def test_an_empty_queue_has_no_lanes_and_nothing_due(database: Database) -> None:
    async with database.read() as connection:
        assert await lanes(connection, NOW) == []
        assert await next_due(connection) is None


async def test_a_claim_writes_down_the_site_and_one_that_knows_none_leaves_it(database: Database) -> None:
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, EMAILS[:1]))
        for want in (Want("one.example", mailing_id, 1, "big.example"), Want("one.example", mailing_id, 1)):
            await release(connection, await claim(connection, [want], "mine", NOW, NOW + LEASE), NOW)
            assert (await connection.execute(select(message.c.site))).scalars().all() == ["big.example"]


async def test_a_paused_mailing_has_no_lanes_and_gives_no_jobs(database: Database) -> None:
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, EMAILS))
        wants = [Want("one.example", mailing_id, 10)]
        await mailings.turn(connection, mailing_id, [MailingState.SENDING], MailingState.PAUSED)
        assert await lanes(connection, NOW) == []
        assert await claim(connection, wants, "mine", NOW, NOW + LEASE) == []
        assert await next_due(connection) is None
        await mailings.turn(connection, mailing_id, [MailingState.PAUSED], MailingState.SENDING)
        assert len(await claim(connection, wants, "mine", NOW, NOW + LEASE)) == 3


async def test_a_claim_books_the_attempt_before_anybody_dials(database: Database) -> None:
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, EMAILS))
        [job] = await claim(connection, [Want("two.example", mailing_id, 5)], "mine", NOW, NOW + LEASE)
    async with database.read() as connection:
        row = await get(connection, job.message_id)
        assert row is not None
        assert (row.attempts, row.lease, row.first_attempt_at, row.next_attempt_at) == (1, "mine", NOW, NOW + LEASE)
        assert (job.attempts, job.first_attempt_at, job.email) == (1, NOW, "d@two.example")
        assert [lane.domain for lane in await lanes(connection, NOW)] == ["one.example"]


async def test_each_lane_gives_no_more_than_is_wanted(database: Database) -> None:
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, EMAILS))
        wants = [Want("one.example", mailing_id, 2), Want("two.example", mailing_id, 3)]
        jobs = await claim(connection, wants, "mine", NOW, NOW + LEASE)
        assert sorted(job.domain for job in jobs) == ["one.example", "one.example", "two.example"]


async def test_what_is_claimed_is_not_claimed_again(database: Database) -> None:
    async with database.write() as connection:
        await queue_mailing(connection, await make_association(connection, EMAILS))
        assert len(await claim_all(connection)) == 4
        assert await claim_all(connection) == []
        assert await next_due(connection) == NOW + LEASE


async def test_an_attempt_whose_lease_ran_out_is_unknown_and_tried_again(database: Database) -> None:
    async with database.write() as connection:
        await queue_mailing(connection, await make_association(connection, EMAILS[:1]))
        [dead] = await claim_all(connection, lease="dead")
        [job] = await claim_all(connection, NOW + LEASE, lease="alive")
        assert (job.message_id, job.status, job.attempts) == (dead.message_id, MessageStatus.UNKNOWN, 2)
        assert job.first_attempt_at == NOW
        doubt = (await events_of(connection, job.message_id))[-1]
        assert (doubt.new, doubt.reason, doubt.attempt) == (MessageStatus.UNKNOWN, Reason.UNCERTAIN, 1)


async def test_with_the_policy_hold_an_uncertain_message_waits_for_a_person(database: Database) -> None:
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, EMAILS[:1]))
        [dead] = await claim_all(connection, lease="dead")
        wants = [Want("one.example", mailing_id, 5)]
        later = NOW + LEASE
        assert await claim(connection, wants, "alive", later, later + LEASE, hold_uncertain=True) == []
        row = await get(connection, dead.message_id)
        assert row is not None
        assert (row.status, row.next_attempt_at, row.lease) == (MessageStatus.UNKNOWN, None, None)


async def test_a_stale_holder_settles_nothing_and_gives_nothing_back(database: Database) -> None:
    async with database.write() as connection:
        await queue_mailing(connection, await make_association(connection, EMAILS[:1]))
        [stale] = await claim_all(connection, lease="stale")
        [fresh] = await claim_all(connection, NOW + LEASE, lease="fresh")
        before = await get(connection, stale.message_id)
        sent = Move(stale.message_id, stale.status, MessageStatus.SENT, NOW, Reason.ACCEPTED, lease=stale.lease)
        unknown = Move(stale.message_id, fresh.status, MessageStatus.SENT, NOW, Reason.ACCEPTED, lease=stale.lease)
        assert await messages.move(connection, [sent]) == set()
        assert await messages.move(connection, [unknown]) == set()
        await release(connection, [stale], NOW + LEASE)
        assert await get(connection, stale.message_id) == before


async def test_a_released_claim_has_cost_no_try(database: Database) -> None:
    async with database.write() as connection:
        await queue_mailing(connection, await make_association(connection, EMAILS[:1]))
        [job] = await claim_all(connection)
        await release(connection, [job], NOW + timedelta(seconds=1))
        row = await get(connection, job.message_id)
        assert row is not None
        assert (row.attempts, row.lease, row.first_attempt_at) == (0, None, None)
        assert row.next_attempt_at == NOW + timedelta(seconds=1)


async def test_a_released_retry_keeps_the_beginning_of_its_five_days(database: Database) -> None:
    async with database.write() as connection:
        await queue_mailing(connection, await make_association(connection, EMAILS[:1]))
        await claim_all(connection, lease="dead")
        [job] = await claim_all(connection, NOW + LEASE)
        await release(connection, [job], NOW + LEASE)
        row = await get(connection, job.message_id)
        assert row is not None
        assert (row.attempts, row.first_attempt_at) == (1, NOW)


async def test_a_held_site_defers_its_messages_without_using_a_try(database: Database) -> None:
    until = NOW + timedelta(minutes=15)
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, EMAILS))
        assert await hold_one(connection, until, NOW) == 3
        row = (await messages_of(connection, mailing_id))[0]
        assert (row.status, row.attempts, row.next_attempt_at) == (MessageStatus.DEFERRED, 0, until)
        assert row.first_attempt_at == NOW
        event = (await events_of(connection, row.message_id))[-1]
        assert (event.reason, event.fault, event.text) == (Reason.NETWORK_ERROR, Fault.REMOTE, "no route to host")
        assert [lane.domain for lane in await lanes(connection, NOW)] == ["two.example"]


async def test_holding_on_adds_no_events_and_keeps_the_first_day(database: Database) -> None:
    again, until = NOW + timedelta(minutes=15), NOW + timedelta(hours=1)
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, EMAILS))
        await hold_one(connection, again, NOW)
        assert await hold_one(connection, until, again) == 3
        row = (await messages_of(connection, mailing_id))[0]
        assert (row.next_attempt_at, row.first_attempt_at) == (until, NOW)
        assert len(await events_of(connection, row.message_id)) == 2


async def test_a_hold_leaves_what_is_under_way_and_what_is_due_later_anyway(database: Database) -> None:
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, EMAILS))
        [busy] = await claim(connection, [Want("one.example", mailing_id, 1)], "mine", NOW, NOW + LEASE)
        assert await hold_one(connection, NOW + timedelta(hours=1), NOW) == 2
        assert await hold_one(connection, NOW + timedelta(minutes=1), NOW) == 0
        row = await get(connection, busy.message_id)
        assert row is not None
        assert row.lease == "mine"


async def test_an_uncertain_message_that_is_held_stays_unknown(database: Database) -> None:
    async with database.write() as connection:
        await queue_mailing(connection, await make_association(connection, EMAILS[:1]))
        await claim_all(connection, lease="dead")
        [job] = await claim_all(connection, NOW + LEASE)
        await release(connection, [job], NOW + LEASE)
        assert await hold_one(connection, NOW + timedelta(hours=1), NOW + LEASE) == 1
        row = await get(connection, job.message_id)
        assert row is not None
        assert (row.status, row.next_attempt_at) == (MessageStatus.UNKNOWN, NOW + timedelta(hours=1))


async def test_what_was_held_for_too_long_is_overdue(database: Database) -> None:
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, EMAILS))
        await hold_one(connection, NOW + timedelta(days=4), NOW)
        assert await overdue(connection, ["one.example"], NOW - timedelta(seconds=1)) == []
        late = await overdue(connection, ["one.example", "two.example"], NOW)
        assert late == (await messages_of(connection, mailing_id))[:3]


async def test_an_address_suppressed_after_queueing_is_blocked_at_the_claim(database: Database) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, EMAILS[:2])
        mailing_id = await queue_mailing(connection, sender)
        gone = Suppression("a@one.example", None, MessageStatus.SPAM, Reason.COMPLAINT, "abuse")
        await suppressions.suppress(connection, [gone], NOW)
        assert [job.email for job in await claim_all(connection)] == ["b@one.example"]
        assert (await counts(connection, mailing_id))[MessageStatus.BLOCKED] == 1
        assert await card_status(connection, sender.cards[0]) == AddressStatus.PROBLEM_BLOCKED


async def test_the_longest_waiting_goes_first(database: Database) -> None:
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, EMAILS[:2]))
        first = (await messages_of(connection, mailing_id))[0]
        later = Move(
            first.message_id,
            first.status,
            MessageStatus.DEFERRED,
            NOW,
            Reason.GREYLISTED,
            kind=EventKind.ATTEMPT,
            next_attempt_at=NOW + timedelta(minutes=5),
        )
        await messages.move(connection, [later])
        [job] = await claim_all(connection, NOW + timedelta(hours=1), limit=1)
        assert job.email == "b@one.example"


async def hold_one(connection: Connection, until: datetime, now: datetime) -> int:
    return await hold(
        connection,
        ["one.example"],
        until,
        now,
        reason=Reason.NETWORK_ERROR,
        fault=Fault.REMOTE,
        text="no route to host",
    )


async def test_what_comes_back_after_its_mailing_was_cancelled_leaves_the_queue(database: Database) -> None:
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, EMAILS))
        jobs = await claim(connection, [Want("two.example", mailing_id, 1)], "mine", NOW, NOW + LEASE)
        await mailings.turn(connection, mailing_id, [MailingState.SENDING], MailingState.CANCELLED)
        assert await mailings.cancel_waiting(connection, mailing_id, NOW) == 3
        assert await sweep_cancelled(connection, NOW) == 0
        await release(connection, jobs, NOW)
        assert await sweep_cancelled(connection, NOW) == 1
        assert await counts(connection, mailing_id) == {MessageStatus.NONE: 4}


async def test_cancelling_leaves_alone_what_has_left_but_is_late(database: Database) -> None:
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, EMAILS[:1]))
        [job] = await claim_all(connection)
        for old, new in ((job.status, MessageStatus.SENT), (MessageStatus.SENT, MessageStatus.DEFERRED)):
            await messages.move(connection, [Move(job.message_id, old, new, NOW, Reason.DELAYED)])
        assert await mailings.cancel_waiting(connection, mailing_id, NOW) == 0


async def test_what_a_dead_sender_had_claimed_is_due_at_once_and_in_doubt(database: Database) -> None:
    async with database.write() as connection:
        await queue_mailing(connection, await make_association(connection, EMAILS))
        theirs = await claim_all(connection, lease=lease_of("send-dead"), limit=1)
        alive = await claim_all(connection, lease=lease_of("send-alive"), limit=1)
        await end_leases(connection, ["send-dead", "web-dead"], NOW)
        taken_over = await claim_all(connection, lease=lease_of("send-alive"))
        assert {job.message_id for job in taken_over} >= {job.message_id for job in theirs}
        assert not {job.message_id for job in taken_over} & {job.message_id for job in alive}
        for job in theirs:
            assert (await events_of(connection, job.message_id))[-1].new is MessageStatus.UNKNOWN
            stale = Move(
                job.message_id, MessageStatus.QUEUED, MessageStatus.SENT, NOW, Reason.ACCEPTED, lease=job.lease
            )
            assert await messages.move(connection, [stale]) == set()


def test_a_lease_fits_its_column() -> None:
    assert len(lease_of(f"{ServiceRole.SEND}-0123456789ab")) <= 32


async def test_a_renewed_lease_holds_longer_and_one_that_was_taken_over_does_not_come_back(database: Database) -> None:
    late = NOW + LEASE
    async with database.write() as connection:
        await queue_mailing(connection, await make_association(connection, EMAILS))
        kept = await claim_all(connection)
        await renew(connection, kept, late + LEASE)
        assert await claim_all(connection, late, lease="other") == []
        taken = await claim_all(connection, late + LEASE, lease="other")
        assert len(taken) == len(kept)
        await renew(connection, kept, late + 3 * LEASE)
        assert {one.next_attempt_at for one in await messages_of(connection, taken[0].mailing_id)} == {late + 2 * LEASE}
