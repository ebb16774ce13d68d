"""The way to a domain, as DNS tells it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from config.vocabulary import Action, Fault, Reason, Route, VerdictStatus
from engine.clock import HandClock
from engine.route.mx import MOST_HOSTS, Unroutable, find_route
from engine.route.resolver import Resolver
from tests.fakes.dns import FakeDns

ZONE: dict[str, dict[str, list[str]]] = {
    "two.example": {"MX": ["20 mx2.two.example.", "10 MX1.Two.example."]},
    "mx1.two.example": {"A": ["192.0.2.1"], "AAAA": ["2001:db8::1"]},
    "mx2.two.example": {"AAAA": ["2001:db8::2"]},
    "equal.example": {"MX": [f"10 mx{number}.equal.example." for number in range(4)]},
    **{f"mx{number}.equal.example": {"A": [f"192.0.2.{number}"]} for number in range(4)},
    "null.example": {"MX": ["0 ."]},
    "mostly.example": {"MX": ["0 .", "10 mx1.two.example."]},
    "itself.example": {"A": ["192.0.2.9"]},
    "itself6.example": {"AAAA": ["2001:db8::9"]},
    "parked.example": {"TXT": ['"nothing here"']},
    "alias.example": {"CNAME": ["two.example."]},
    "cname-mx.example": {"MX": ["10 old.example."]},
    "old.example": {"CNAME": ["mx2.two.example."]},
    "half.example": {"MX": ["10 gone.example.", "20 mx2.two.example."]},
    "stuck-half.example": {"MX": ["10 stuck.example.", "20 mx2.two.example."]},
    "none.example": {"MX": ["10 gone.example.", "20 192.0.2.1."]},
    "unsure.example": {"MX": ["10 gone.example.", "20 stuck.example."]},
    "many.example": {"MX": [f"{number} mx{number}.many.example." for number in range(100)]},
    **{f"mx{number}.many.example": {"A": ["192.0.2.1"]} for number in range(100)},
    "xn--rksmrgs-5wao1o.example": {"MX": ["10 mx2.two.example."]},
    "big.example": {"MX": ["5 aspmx.l.google.com.", "1 alt1.aspmx.l.google.com."]},
    "aspmx.l.google.com": {"A": ["192.0.2.30"]},
    "alt1.aspmx.l.google.com": {"A": ["192.0.2.31"]},
}


@pytest.fixture
async def dns() -> AsyncIterator[FakeDns]:
    async with FakeDns(dict(ZONE), failing={"broken.example", "stuck.example"}) as server:
        yield server


def resolver_of(dns: FakeDns, clock: HandClock | None = None) -> Resolver:
    clock = clock or HandClock(datetime(2026, 1, 1, tzinfo=UTC))
    return Resolver(clock, nameservers=["127.0.0.1"], port=dns.port, total_seconds=0.1 if dns.silent else 10)


async def route(dns: FakeDns, domain: str) -> list[str]:
    found = await find_route(resolver_of(dns), domain)
    assert isinstance(found, Route), found
    return [host.name for host in found.hosts]


async def no_route(dns: FakeDns, domain: str) -> Unroutable:
    found = await find_route(resolver_of(dns), domain)
    assert isinstance(found, Unroutable), found
    return found


async def test_the_best_preference_comes_first_with_all_its_addresses(dns: FakeDns) -> None:
    found = await find_route(resolver_of(dns), "two.example", port=2525)
    assert isinstance(found, Route)
    assert (found.domain, found.site) == ("two.example", "two.example")
    assert [(host.name, host.addresses, host.port) for host in found.hosts] == [
        ("mx1.two.example", ("192.0.2.1", "2001:db8::1"), 2525),
        ("mx2.two.example", ("2001:db8::2",), 2525),
    ]


async def test_hosts_of_equal_preference_take_turns(dns: FakeDns) -> None:
    resolver = resolver_of(dns)
    routes = [await find_route(resolver, "equal.example") for _ in range(40)]
    first = {route.hosts[0].name for route in routes if isinstance(route, Route)}
    assert len(first) > 1


async def test_null_mx_is_final_and_asks_for_no_address(dns: FakeDns) -> None:
    found = await no_route(dns, "null.example")
    assert (found.verdict.status, found.verdict.reason) == (VerdictStatus.INVALID, Reason.NULL_MX)
    assert str(found.reply.enhanced) == "5.1.10"
    assert list(dns.asked) == [("null.example", "MX")]


async def test_a_dot_among_other_exchangers_is_ignored(dns: FakeDns) -> None:
    assert await route(dns, "mostly.example") == ["mx1.two.example"]


@pytest.mark.parametrize("domain", ["itself.example", "itself6.example"])
async def test_a_domain_without_mx_is_its_own_exchanger(dns: FakeDns, domain: str) -> None:
    assert await route(dns, domain) == [domain]


@pytest.mark.parametrize(
    ("domain", "hosts"),
    [
        ("alias.example", ["mx1.two.example", "mx2.two.example"]),
        ("cname-mx.example", ["old.example"]),
        ("half.example", ["mx2.two.example"]),
        ("stuck-half.example", ["mx2.two.example"]),
        ("räksmörgås.example", ["mx2.two.example"]),
        ("Two.Example.", ["mx1.two.example", "mx2.two.example"]),
    ],
)
async def test_odd_but_working_domains_are_reached(dns: FakeDns, domain: str, hosts: list[str]) -> None:
    assert await route(dns, domain) == hosts


@pytest.mark.parametrize("domain", ["nowhere.example", "parked.example", "a..b", f"{'x' * 64}.example", "[192.0.2.1]"])
async def test_a_domain_that_does_not_exist_or_has_no_host_is_final(dns: FakeDns, domain: str) -> None:
    found = await no_route(dns, domain)
    assert (found.verdict.status, found.verdict.reason) == (VerdictStatus.INVALID, Reason.HOST_UNKNOWN)


@pytest.mark.parametrize("domain", ["broken.example", "silent.example", "unsure.example"])
async def test_what_dns_cannot_tell_is_deferred_and_nobodys_fault(dns: FakeDns, domain: str) -> None:
    dns.silent |= {domain} & {"silent.example"}
    found = await no_route(dns, domain)
    assert (found.verdict.status, found.verdict.fault) == (VerdictStatus.DEFERRED, Fault.DELAY)
    assert found.verdict.action is Action.NONE
    assert str(found.reply.enhanced) == "4.4.3"


async def test_exchangers_without_any_address_are_tried_again_later(dns: FakeDns) -> None:
    found = await no_route(dns, "none.example")
    assert (found.verdict.status, found.verdict.fault) == (VerdictStatus.SOFT_BOUNCED, Fault.REMOTE)


async def test_of_a_hundred_exchangers_the_best_are_kept(dns: FakeDns) -> None:
    assert await route(dns, "many.example") == [f"mx{number}.many.example" for number in range(MOST_HOSTS)]
    assert sum(dns.asked.values()) == 2 + 2 * MOST_HOSTS  # the long answer is asked for again over TCP


async def test_the_site_is_the_operator_of_the_exchangers(dns: FakeDns) -> None:
    found = await find_route(resolver_of(dns), "big.example")
    assert isinstance(found, Route)
    assert found.site == "google"


async def test_answers_are_remembered_for_their_time_to_live(dns: FakeDns) -> None:
    clock = HandClock(datetime(2026, 1, 1, tzinfo=UTC))
    resolver = resolver_of(dns, clock)
    for _ in range(3):
        await find_route(resolver, "two.example")
        await find_route(resolver, "nowhere.example")
    assert set(dns.asked.values()) == {1}
    clock.leap(301)
    await find_route(resolver, "two.example")
    assert dns.asked[("two.example", "MX")] == 2


async def test_a_failure_is_soon_asked_about_again(dns: FakeDns) -> None:
    clock = HandClock(datetime(2026, 1, 1, tzinfo=UTC))
    resolver = resolver_of(dns, clock)
    await find_route(resolver, "broken.example")
    dns.failing.clear()
    dns.zone["broken.example"] = {"A": ["192.0.2.1"]}
    assert isinstance(await find_route(resolver, "broken.example"), Unroutable)
    clock.leap(16)
    assert isinstance(await find_route(resolver, "broken.example"), Route)


async def test_texts_are_joined_and_tlsa_read() -> None:
    zone = {
        "t.example": {"TXT": ['"v=STSv1; " "id=1"']},
        "_25._tcp.mx.example": {"TLSA": ["3 1 1 " + "ab" * 32]},
    }
    async with FakeDns(zone, vouched={"_25._tcp.mx.example"}) as dns:
        resolver = resolver_of(dns)
        texts = await resolver.find_texts("t.example")
        tlsa = await resolver.find_tlsa("mx.example")
    assert (texts.records, texts.is_authentic) == (("v=STSv1; id=1",), False)
    [record] = tlsa.records
    assert (record.usage, record.selector, record.matching, record.data) == (3, 1, 1, b"\xab" * 32)
    assert tlsa.is_authentic
