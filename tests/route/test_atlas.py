"""The ways to many domains, remembered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from config.vocabulary import Route
from engine.clock import HandClock
from engine.route.atlas import KEPT_FOR, Atlas
from engine.route.guard import may_dial_sandbox
from engine.route.mx import Unroutable
from engine.route.resolver import Resolver
from engine.route.tls_policy import make_policies
from tests.fakes.dns import FakeDns

DOMAINS = ["a.example", "b.example", "nowhere.example"]


@pytest.fixture
async def dns() -> AsyncIterator[FakeDns]:
    zone = {"a.example": {"A": ["192.0.2.1"]}, "b.example": {"MX": ["0 ."]}}
    async with FakeDns(zone, ttl=1) as server:
        yield server


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 1, 1, tzinfo=UTC))


def resolver_of(dns: FakeDns, clock: HandClock) -> Resolver:
    return Resolver(clock, nameservers=["127.0.0.1"], port=dns.port)


async def test_each_domain_has_its_way_or_none(dns: FakeDns, clock: HandClock) -> None:
    found = await Atlas(resolver_of(dns, clock), clock).find(DOMAINS)
    assert [type(found[domain]) for domain in DOMAINS] == [Route, Unroutable, Unroutable]


async def test_a_way_is_kept_for_some_minutes(dns: FakeDns, clock: HandClock) -> None:
    atlas = Atlas(resolver_of(dns, clock), clock)
    for _ in range(3):
        await atlas.find(DOMAINS)
        clock.leap(60)
    assert dns.asked[("a.example", "MX")] == 1
    clock.leap(KEPT_FOR.total_seconds())
    await atlas.find(DOMAINS)
    assert dns.asked[("a.example", "MX")] == 2


async def test_what_dns_could_not_tell_is_asked_again(dns: FakeDns, clock: HandClock) -> None:
    dns.failing.add("a.example")
    atlas = Atlas(resolver_of(dns, clock), clock)
    assert isinstance((await atlas.find(["a.example"]))["a.example"], Unroutable)
    dns.failing.clear()
    clock.leap(16)
    assert isinstance((await atlas.find(["a.example"]))["a.example"], Route)


async def test_a_way_carries_the_tls_its_domain_demands(dns: FakeDns, clock: HandClock) -> None:
    dns.zone["a.example"] = {"MX": ["10 mx.a.example."]}
    dns.zone["mx.a.example"] = {"A": ["192.0.2.1"]}
    dns.zone["_25._tcp.mx.a.example"] = {"TLSA": ["3 1 1 " + "ab" * 32]}
    dns.vouched |= {"a.example", "mx.a.example", "_25._tcp.mx.a.example"}
    resolver = resolver_of(dns, clock)
    atlas = Atlas(resolver, clock, policies=make_policies(resolver, clock, may_dial_sandbox))
    way = (await atlas.find(["a.example"]))["a.example"]
    assert isinstance(way, Route)
    assert way.hosts[0].tls.policy == "dane"


async def test_a_silent_name_server_keeps_no_other_domain_waiting(dns: FakeDns, clock: HandClock) -> None:
    dns.silent.add("a.example")
    atlas = Atlas(Resolver(clock, nameservers=["127.0.0.1"], port=dns.port, total_seconds=0.3), clock)
    assert list(await atlas.find(["a.example", "b.example"], 0.1)) == ["b.example"]
    assert isinstance((await atlas.find(["a.example"]))["a.example"], Unroutable)
    assert dns.asked[("b.example", "MX")] == 1


async def test_an_atlas_that_is_closed_asks_nothing_more(dns: FakeDns, clock: HandClock) -> None:
    dns.silent.add("a.example")
    atlas = Atlas(resolver_of(dns, clock), clock)
    assert await atlas.find(["a.example"], 0.01) == {}
    await atlas.close()
    assert len(asyncio.all_tasks()) == 1
