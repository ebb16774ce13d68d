"""What DNS says, and does not say, of a domain."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from time import monotonic

import pytest

from config.vocabulary import AddressStatus, MessageStatus, Reason
from engine import gateway
from engine.clock import HandClock, SystemClock
from engine.route.guard import may_dial_internet
from engine.route.resolver import Resolver
from engine.store.database import Database
from engine.store.message_rows import Event
from tests.fakes.dns import FakeDns
from tests.fakes.mx import FakeMx
from tests.journeys.conftest import Tell
from tests.journeys.town import (
    Post,
    history,
    live_until,
    messages,
    open_town,
    queue_post,
    running,
    statuses,
    wait_for_all,
)
from tests.store.association import NOW, card_status

MEMBERS = 20


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name servers get a second and not twenty."""
    monkeypatch.setattr(gateway, "Resolver", partial(Resolver, total_seconds=1.0))


async def _last_events(database: Database, post: Post) -> list[Event]:
    return [(await history(database, one.message_id))[-1] for one in await messages(database, post)]


@pytest.mark.parametrize("how", ["failing", "silent"])
async def test_a_domain_that_dns_does_not_tell_of_waits_with_one_question_for_all(database: Database, how: str) -> None:
    clock, names, receiver = HandClock(NOW), FakeDns(), FakeMx()
    async with open_town({"vilse.example": receiver}, names) as town:
        getattr(names, how).add("vilse.example")
        post = await queue_post(database, [f"m{n}@vilse.example" for n in range(MEMBERS)], NOW)
        outbound = town.sender(database, clock)
        await outbound.run_until_idle()
        assert await statuses(database, post) == {MessageStatus.DEFERRED: MEMBERS}
        assert sum(one.attempts for one in await messages(database, post)) == 1
        assert (await _last_events(database, post))[0].reason is Reason.NETWORK_ERROR
        getattr(names, how).clear()
        await live_until(outbound, database, clock, NOW + timedelta(hours=1))
        await outbound.close()
    assert await statuses(database, post) == {MessageStatus.SENT: MEMBERS}


async def test_what_dns_never_tells_is_given_up_after_five_days_without_a_storm_of_questions(
    database: Database, tell: Tell
) -> None:
    clock, names = HandClock(NOW), FakeDns(failing={"vilse.example"})
    async with open_town({}, names) as town:
        post = await queue_post(database, [f"m{n}@vilse.example" for n in range(MEMBERS)], NOW)
        outbound = town.sender(database, clock)
        await live_until(outbound, database, clock, NOW + timedelta(days=6))
        await outbound.close()
    questions = names.asked[("vilse.example", "MX")]
    tell(f"SERVFAIL for five days: {questions} questions for {MEMBERS} members")
    assert questions < 200
    assert await statuses(database, post) == {MessageStatus.BOUNCED: MEMBERS}


@pytest.mark.parametrize(
    ("records", "reason"),
    [(None, Reason.HOST_UNKNOWN), ({"MX": ["0 ."]}, Reason.NULL_MX), ({"TXT": ['"nothing"']}, Reason.HOST_UNKNOWN)],
)
async def test_a_domain_without_mail_is_final_and_nobody_is_dialled(
    database: Database, records: dict[str, list[str]] | None, reason: Reason
) -> None:
    clock, names, receiver = HandClock(NOW), FakeDns(), FakeMx()
    if records is not None:
        names.zone["stum.example"] = records
    async with open_town({"annan.example": receiver}, names) as town:
        post = await queue_post(database, [f"m{n}@stum.example" for n in range(MEMBERS)], NOW)
        outbound = town.sender(database, clock)
        await outbound.run_until_idle()
        await outbound.close()
    assert await statuses(database, post) == {MessageStatus.INVALID: MEMBERS}
    assert {event.reason for event in await _last_events(database, post)} == {reason}
    assert receiver.connections == 0
    async with database.read() as connection:
        assert await card_status(connection, post.association.cards[0]) is AddressStatus.PROBLEM_INVALID


async def test_silent_name_servers_delay_no_other_mail(
    database: Database, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "Resolver", partial(Resolver, total_seconds=10.0))
    clock, names, receiver = SystemClock(), FakeDns(), FakeMx()
    names.silent |= {f"vilse{number}.example" for number in range(30)}
    good = [f"frisk{number}.example" for number in range(10)]
    async with open_town(dict.fromkeys(good, receiver), names) as town:
        lost = await queue_post(database, [f"m{n}@vilse{n % 30}.example" for n in range(300)], clock.now())
        post = await queue_post(database, [f"m{n}@{good[n % 10]}" for n in range(300)], clock.now())
        began = monotonic()
        async with running(town.sender(database, clock)):
            await wait_for_all(database, post, MessageStatus.SENT)
            seconds = monotonic() - began
            assert {(one.status, one.attempts) for one in await messages(database, lost)} == {(MessageStatus.QUEUED, 0)}
    tell(f"30 domains whose name servers are silent: 300 other mails done in {seconds:.2f} s")


PRIVATE = {
    "loopback": "127.0.0.1",
    "private": "10.1.2.3",
    "home": "192.168.1.1",
    "cgnat": "100.64.0.1",
    "link-local": "169.254.169.254",
    "multicast": "224.0.0.1",
    "this-network": "0.0.0.0",
    "broadcast": "255.255.255.255",
    "loopback6": "::1",
    "mapped": "::ffff:127.0.0.1",
    "nat64": "64:ff9b::7f00:1",
    "6to4": "2002:7f00:1::",
    "unique-local": "fd00::1",
    "link-local6": "fe80::1",
}


async def test_in_the_internet_no_private_address_is_dialled(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, names, receiver = HandClock(NOW), FakeDns(), FakeMx()
    monkeypatch.setattr(gateway, "guard_for", lambda mode: may_dial_internet)
    async with open_town({"lokal.example": receiver}, names) as town:
        for name, address in PRIVATE.items():
            names.zone[f"{name}.example"] = {"MX": [f"10 mx.{name}.example."]}
            names.zone[f"mx.{name}.example"] = {"AAAA" if ":" in address else "A": [address]}
        domains = ["lokal.example", *(f"{name}.example" for name in PRIVATE)]
        post = await queue_post(database, [f"m{n}@{domain}" for domain in domains for n in range(3)], NOW)
        outbound = town.sender(database, clock)
        await outbound.run_until_idle()
        await outbound.close()
    assert receiver.connections == 0
    assert await statuses(database, post) == {
        MessageStatus.DEFERRED: 2 * len(domains),
        MessageStatus.SOFT_BOUNCED: len(domains),
    }
    probed = [one.message_id for one in await messages(database, post) if one.attempts]
    assert len(probed) == len(domains)
    for number in probed:
        assert any("no mail goes to such an address" in event.text for event in await history(database, number))
