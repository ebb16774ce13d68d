"""Receivers that refuse us, our words, or everything: few mails are spent on it, and no member is blamed for it."""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta

from sqlalchemy import select

from config.vocabulary import AddressStatus, Fault, MailingState, MessageStatus, Reason
from engine.clock import HandClock
from engine.mailing.sending import CONTENT_REFUSED, resume
from engine.shape.bulletin import REFUSES_US
from engine.store import mailings, sites
from engine.store.database import Database
from engine.store.tables import alert, card
from tests.fakes.mx import DROP, FakeMx
from tests.journeys.conftest import Tell
from tests.journeys.town import (
    Post,
    history,
    live_until,
    messages,
    open_town,
    queue_post,
    statuses,
    taken,
)
from tests.store.association import NOW

IS_LONG = os.environ.get("BREVDUVA_SOAK") == "1"
LISTED = b"550 5.7.1 Service unavailable; client host [203.0.113.7] blocked using zen.spamhaus.example\r\n"
SPAM = b"550 5.7.1 This message looks like spam and was rejected because of its content\r\n"
MEMBERS = 60
DEAD_MEMBERS = 5000 if IS_LONG else 500


async def _cards(database: Database, post: Post) -> Counter[str]:
    async with database.read() as connection:
        rows = await connection.execute(select(card.c.status).where(card.c.association_id == post.association.id))
        return Counter(rows.scalars())


async def _open_alerts(database: Database) -> list[tuple[str, str, str]]:
    async with database.read() as connection:
        rows = await connection.execute(
            select(alert.c.kind, alert.c.subject, alert.c.text).where(alert.c.closed_at.is_(None))
        )
        return [(row.kind, row.subject, row.text) for row in rows]


async def _burnt(database: Database, post: Post) -> int:
    """The messages that an attempt was counted against, or that ended, without being delivered."""
    ended = {MessageStatus.BOUNCED, MessageStatus.INVALID, MessageStatus.BLOCKED}
    return sum(
        one.status in ended or (one.status is not MessageStatus.SENT and one.attempts > 0)
        for one in await messages(database, post)
    )


def _tries(receiver: FakeMx) -> int:
    return sum(command.startswith("RCPT") for command in receiver.commands)


async def test_a_receiver_that_refuses_us_costs_five_mails_and_gets_all_of_them_once_it_relents(
    database: Database, tell: Tell
) -> None:
    clock, strict, other = HandClock(NOW), FakeMx(always={"RCPT": LISTED}), FakeMx()
    async with open_town({"strang.example": strict, "mild.example": other}) as town:
        post = await queue_post(database, [f"m{n}@strang.example" for n in range(MEMBERS)], NOW)
        mild = await queue_post(database, [f"m{n}@mild.example" for n in range(MEMBERS)], NOW)
        outbound = town.sender(database, clock)
        await outbound.run_until_idle()
        refused = _tries(strict)
        assert refused <= 5
        assert await statuses(database, mild) == {MessageStatus.SENT: MEMBERS}
        assert await statuses(database, post) == {MessageStatus.DEFERRED: MEMBERS}
        assert await _burnt(database, post) == 0
        told = (await history(database, (await messages(database, post))[-1].message_id))[-1]
        assert (told.reason, told.fault) == (Reason.BLOCKED, Fault.SENDER)
        assert "zen.spamhaus.example" in told.text
        [(kind, subject, words)] = await _open_alerts(database)
        assert (kind, subject) == (REFUSES_US, "strang.example")
        assert "zen.spamhaus.example" in words
        await live_until(outbound, database, clock, NOW + timedelta(days=1))
        probes = _tries(strict) - refused
        strict.always.clear()
        await live_until(outbound, database, clock, NOW + timedelta(days=2))
        await outbound.close()
    tell(f"refused as listed: {refused} mails at once, {probes} probes in a day, 0 burnt, then {MEMBERS} delivered")
    assert probes <= 24
    assert await statuses(database, post) == {MessageStatus.SENT: MEMBERS}
    assert len(taken(strict)) == len(set(taken(strict))) == MEMBERS
    assert await _cards(database, post) == {AddressStatus.CONFIRMED: MEMBERS}
    assert await _open_alerts(database) == []


async def test_a_site_resumed_by_hand_gets_its_mail_at_once(database: Database) -> None:
    clock, strict = HandClock(NOW), FakeMx(always={"RCPT": LISTED})
    async with open_town({"strang.example": strict}) as town:
        post = await queue_post(database, [f"m{n}@strang.example" for n in range(MEMBERS)], NOW)
        outbound = town.sender(database, clock)
        await outbound.run_until_idle()
        strict.always.clear()
        await outbound.run_until_idle()
        assert taken(strict) == []
        clock.leap(1)
        async with database.write() as connection:
            await sites.resume(connection, "strang.example", clock.now())
        await outbound.run_until_idle()
        counts = await statuses(database, post)
        assert counts[MessageStatus.SENT] >= MEMBERS - 5
        await live_until(outbound, database, clock, NOW + timedelta(hours=2))
        await outbound.close()
    assert await statuses(database, post) == {MessageStatus.SENT: MEMBERS}


async def test_a_site_that_turns_on_us_in_the_middle_burns_nothing_of_what_was_on_the_wire(
    database: Database, tell: Tell
) -> None:
    clock, receiver = HandClock(NOW), FakeMx(script={"RCPT": [b"250 2.1.5 Ok\r\n"] * 300}, always={"RCPT": LISTED})
    async with open_town({"strang.example": receiver}) as town:
        post = await queue_post(database, [f"m{n}@strang.example" for n in range(1000)], NOW)
        outbound = town.sender(database, clock)
        await outbound.run_until_idle()
        refused, burnt = _tries(receiver) - 300, await _burnt(database, post)
        assert await statuses(database, post) == {MessageStatus.SENT: 300, MessageStatus.DEFERRED: 700}
        [(kind, subject, words)] = await _open_alerts(database)
        assert (kind, subject) == (REFUSES_US, "strang.example")
        assert "zen.spamhaus.example" in words
        receiver.always.clear()
        await live_until(outbound, database, clock, NOW + timedelta(days=1))
        await outbound.close()
    tell(
        f"refused as listed after 300 mails over {receiver.most_connections_at_once} connections: "
        f"{refused} mails were on the wire, {burnt} burnt"
    )
    assert refused <= 2 * receiver.most_connections_at_once + 5
    assert burnt <= 5
    assert await statuses(database, post) == {MessageStatus.SENT: 1000}
    assert await _cards(database, post) == {AddressStatus.CONFIRMED: 1000}
    assert await _open_alerts(database) == []


async def test_a_dead_site_costs_one_probe_at_a_time_and_marks_its_cards_after_five_days(
    database: Database, tell: Tell
) -> None:
    clock, dead = HandClock(NOW), FakeMx(always={"BANNER": DROP})
    async with open_town({"dod.example": dead}) as town:
        post = await queue_post(database, [f"m{n}@dod.example" for n in range(DEAD_MEMBERS)], NOW)
        outbound = town.sender(database, clock)
        await outbound.run_until_idle()
        assert dead.connections == 1
        await live_until(outbound, database, clock, NOW + timedelta(days=4, hours=23))
        assert set(await statuses(database, post)) <= {MessageStatus.DEFERRED, MessageStatus.SOFT_BOUNCED}
        await live_until(outbound, database, clock, NOW + timedelta(days=6))
        await outbound.close()
    events = [len(await history(database, one.message_id)) for one in await messages(database, post)]
    tell(
        f"a dead site with {DEAD_MEMBERS} members: {dead.connections} connections in five days, "
        f"{sum(events) / len(events):.1f} events a message, {max(events)} at most"
    )
    assert dead.most_connections_at_once == 1
    assert dead.connections <= 40
    assert sum(events) <= 4 * DEAD_MEMBERS + 2 * dead.connections
    assert await statuses(database, post) == {MessageStatus.BOUNCED: DEAD_MEMBERS}
    assert await _cards(database, post) == {AddressStatus.PROBLEM_BOUNCED: DEAD_MEMBERS}


async def test_refusals_of_the_words_pause_the_mailing_and_touch_nobody(database: Database, tell: Tell) -> None:
    clock, wary, other = HandClock(NOW), FakeMx(always={"DOT": SPAM}), FakeMx()
    domains = {f"vaksam{n}.example": wary for n in range(5)}
    async with open_town({**domains, "mild.example": other}) as town:
        names = sorted(domains)
        post = await queue_post(database, [f"m{n}@{names[n % 5]}" for n in range(MEMBERS)], NOW)
        mild = await queue_post(database, [f"m{n}@mild.example" for n in range(MEMBERS)], NOW)
        outbound = town.sender(database, clock)
        await outbound.run_until_idle()
        spent = len(wary.mails)
        assert await statuses(database, mild) == {MessageStatus.SENT: MEMBERS}
        assert await _state(database, post) is MailingState.PAUSED
        [(kind, subject, words)] = await _open_alerts(database)
        assert (kind, subject) == (CONTENT_REFUSED, str(post.mailing_id))
        assert "looks like spam" in words
        await live_until(outbound, database, clock, NOW + timedelta(days=1))
        assert len(wary.mails) == spent
        wary.always.clear()
        async with database.write() as connection:
            await resume(connection, post.association.id, post.mailing_id)
        await live_until(outbound, database, clock, NOW + timedelta(days=2))
        await outbound.close()
    tell(f"words refused at 5 sites: paused after {spent} of {MEMBERS} mails")
    assert spent <= 12
    assert await statuses(database, post) == {MessageStatus.SENT: MEMBERS}
    assert await _cards(database, post) == {AddressStatus.CONFIRMED: MEMBERS}


async def _state(database: Database, post: Post) -> MailingState:
    async with database.read() as connection:
        return (await mailings.get(connection, post.mailing_id)).state
