"""What TLS a route must fulfil."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from config.vocabulary import Action, Route, TlsDemand, VerdictStatus
from engine.clock import HandClock
from engine.route.mta_sts import BadPolicy, StsPolicies
from engine.route.mx import Unroutable, find_route
from engine.route.resolver import Resolver
from engine.route.tls_policy import ENCRYPT, TlsPolicies
from tests.fakes.dns import FakeDns

DIGEST = "ab" * 32
EVERYTHING = {
    "example.org",
    "mx1.example.org",
    "mx2.example.org",
    "_25._tcp.mx1.example.org",
    "_25._tcp.mx2.example.org",
}


class Domain:
    """example.org with two exchangers, and what it publishes about TLS."""

    def __init__(self, dns: FakeDns) -> None:
        self.dns = dns
        self.policy = ""
        dns.zone.update(
            {
                "example.org": {"MX": ["10 mx1.example.org.", "20 mx2.example.org."]},
                "mx1.example.org": {"A": ["192.0.2.1"]},
                "mx2.example.org": {"A": ["192.0.2.2"]},
            }
        )

    async def fetch(self, domain: str) -> str:
        if not self.policy:
            raise BadPolicy(domain)
        return self.policy

    def publish_sts(self, mode: str, *mx: str) -> None:
        self.dns.zone["_mta-sts.example.org"] = {"TXT": ['"v=STSv1; id=1;"']}
        lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {name}" for name in mx), "max_age: 86400"]
        self.policy = "\n".join(lines)

    def publish_tlsa(self, host: str, *records: str) -> None:
        self.dns.zone[f"_25._tcp.{host}"] = {"TLSA": list(records)}

    async def secure(self) -> Route | Unroutable:
        clock = HandClock(datetime(2026, 1, 1, tzinfo=UTC))
        resolver = Resolver(clock, nameservers=["127.0.0.1"], port=self.dns.port)
        route = await find_route(resolver, "example.org")
        assert isinstance(route, Route)
        return await TlsPolicies(resolver, StsPolicies(resolver, clock, self)).secure(route)

    async def demands(self) -> dict[str, TlsDemand]:
        route = await self.secure()
        assert isinstance(route, Route)
        return {host.name: host.tls for host in route.hosts}

    async def policies(self) -> list[str]:
        return [demand.policy for demand in (await self.demands()).values()]


@pytest.fixture
async def domain() -> AsyncIterator[Domain]:
    async with FakeDns() as dns:
        yield Domain(dns)


async def test_a_domain_that_publishes_nothing_demands_nothing(domain: Domain) -> None:
    assert await domain.policies() == ["", ""]


async def test_an_enforced_policy_is_demanded_of_the_hosts_it_names_and_the_others_are_left_out(domain: Domain) -> None:
    domain.publish_sts("enforce", "mx2.example.org")
    assert await domain.demands() == {"mx2.example.org": TlsDemand("mta-sts")}


@pytest.mark.parametrize("mode", ["testing", "none"])
async def test_a_policy_that_is_not_enforced_demands_nothing(domain: Domain, mode: str) -> None:
    domain.publish_sts(mode, "other.example")
    assert await domain.policies() == ["", ""]


async def test_mails_wait_where_no_exchanger_is_one_of_the_policy(domain: Domain) -> None:
    domain.publish_sts("enforce", "mx.elsewhere.example")
    found = await domain.secure()
    assert isinstance(found, Unroutable)
    assert found.verdict.status is VerdictStatus.SOFT_BOUNCED
    assert found.verdict.action is not Action.SUPPRESS


async def test_tlsa_records_are_demanded_where_dnssec_vouches_for_everything(domain: Domain) -> None:
    domain.publish_tlsa("mx1.example.org", f"3 1 1 {DIGEST}", f"0 0 1 {DIGEST}")
    domain.dns.vouched |= EVERYTHING
    demands = await domain.demands()
    assert demands["mx2.example.org"] == TlsDemand()
    dane = demands["mx1.example.org"]
    assert (dane.policy, dane.names) == ("dane", ("mx1.example.org", "example.org"))
    assert [(record.usage, record.data) for record in dane.tlsa] == [(3, bytes.fromhex(DIGEST))]


@pytest.mark.parametrize("unvouched", ["example.org", "mx1.example.org", "_25._tcp.mx1.example.org"])
async def test_tlsa_records_without_dnssec_all_the_way_prove_nothing(domain: Domain, unvouched: str) -> None:
    domain.publish_tlsa("mx1.example.org", f"3 1 1 {DIGEST}")
    domain.dns.vouched |= EVERYTHING - {unvouched}
    assert await domain.policies() == ["", ""]


@pytest.mark.parametrize("record", [f"1 1 1 {DIGEST}", f"3 2 1 {DIGEST}", f"3 1 9 {DIGEST}"])
async def test_tlsa_records_that_cannot_be_used_still_demand_encryption(domain: Domain, record: str) -> None:
    domain.publish_tlsa("mx1.example.org", record)
    domain.dns.vouched |= EVERYTHING
    assert (await domain.demands())["mx1.example.org"] == ENCRYPT


async def test_a_host_whose_tlsa_records_cannot_be_learnt_is_left_out(domain: Domain) -> None:
    domain.dns.vouched |= EVERYTHING
    domain.dns.failing.add("_25._tcp.mx1.example.org")
    assert await domain.demands() == {"mx2.example.org": TlsDemand()}
    domain.dns.failing.add("_25._tcp.mx2.example.org")
    assert isinstance(await domain.secure(), Unroutable)


async def test_dane_goes_before_mta_sts_where_a_host_has_both(domain: Domain) -> None:
    domain.publish_sts("enforce", "*.example.org")
    domain.publish_tlsa("mx1.example.org", f"3 1 1 {DIGEST}")
    domain.dns.vouched |= EVERYTHING
    assert await domain.policies() == ["dane", "mta-sts"]


async def test_the_ad_bit_counts_only_from_a_name_server_on_this_machine(domain: Domain) -> None:
    clock = HandClock(datetime(2026, 1, 1, tzinfo=UTC))
    domain.dns.vouched |= EVERYTHING
    near = Resolver(clock, nameservers=["127.0.0.1"], port=domain.dns.port)
    assert (await near.find_mx("example.org")).is_authentic
    mixed = Resolver(clock, nameservers=["127.0.0.1", "192.0.2.53"], port=domain.dns.port)
    assert not (await mixed.find_mx("example.org")).is_authentic
