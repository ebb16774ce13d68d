"""What the name server of the box answers, asked by dnspython's own resolver."""

from __future__ import annotations

from collections.abc import AsyncIterator

import dns.asyncquery
import dns.asyncresolver
import dns.message
import dns.rdatatype
import dns.resolver
import pytest

from engine.sandbox.dns import LOOPBACK, DnsServer, Manner, Name, address, alias, mail_domain, null_mx

NAMES = {
    "norrpost.example": mail_domain("mx1.norrpost.example", "mx2.norrpost.example"),
    "mx1.norrpost.example": address("127.0.0.10", "::1"),
    "mx2.norrpost.example": address("127.0.0.11"),
    "forening.example": alias("norrpost.example"),
    "nollpost.example": null_mx(),
    "trasig.example": Name(manner=Manner.FAILS),
    "tyst.example": Name(manner=Manner.SILENT),
    "stor.example": mail_domain(*(f"mx{number}.stor.example" for number in range(100))),
}


@pytest.fixture
async def port() -> AsyncIterator[int]:
    server = DnsServer(NAMES)
    yield await server.start()
    await server.stop()


def resolver(port: int) -> dns.asyncresolver.Resolver:
    asker = dns.asyncresolver.Resolver(configure=False)
    asker.nameservers, asker.port, asker.lifetime, asker.timeout = [LOOPBACK], port, 0.2, 0.2
    return asker


async def ask(port: int, name: str, kind: str) -> list[str]:
    return sorted(record.to_text() for record in await resolver(port).resolve(name, kind))


async def test_the_exchangers_come_with_their_preferences(port: int) -> None:
    assert await ask(port, "norrpost.example", "MX") == ["10 mx1.norrpost.example.", "20 mx2.norrpost.example."]


async def test_a_host_has_addresses_of_both_kinds(port: int) -> None:
    assert await ask(port, "mx1.norrpost.example", "A") == ["127.0.0.10"]
    assert await ask(port, "MX1.norrpost.example", "AAAA") == ["::1"]


async def test_an_alias_leads_to_the_exchangers_of_its_target(port: int) -> None:
    answer = await resolver(port).resolve("forening.example", "MX")
    assert "10 mx1.norrpost.example." in [record.to_text() for record in answer]
    assert answer.canonical_name.to_text() == "norrpost.example."


async def test_null_mx_is_one_record_with_the_root_as_host(port: int) -> None:
    assert await ask(port, "nollpost.example", "MX") == ["0 ."]


async def test_what_is_not_in_the_zones_does_not_exist(port: int) -> None:
    with pytest.raises(dns.resolver.NXDOMAIN):
        await ask(port, "finnsinte.example", "MX")


async def test_a_name_above_a_known_one_exists_without_records(port: int) -> None:
    for name in ("norrpost.example", "example"):
        with pytest.raises(dns.resolver.NoAnswer):
            await ask(port, name, "TXT")


async def test_a_failing_name_is_no_missing_name(port: int) -> None:
    with pytest.raises(dns.resolver.NoNameservers):
        await ask(port, "trasig.example", "MX")


async def test_a_silent_name_lets_the_asker_wait(port: int) -> None:
    with pytest.raises(dns.resolver.LifetimeTimeout):
        await ask(port, "tyst.example", "MX")


async def test_a_long_answer_is_fetched_over_tcp(port: int) -> None:
    query = dns.message.make_query("stor.example", "MX")
    response, used_tcp = await dns.asyncquery.udp_with_fallback(query, LOOPBACK, timeout=1, port=port)
    assert used_tcp
    assert len(response.answer[0]) == 100


async def test_a_name_can_be_placed_while_the_server_runs(port: int) -> None:
    server = DnsServer({})
    server.place("ny.example", address("127.0.0.9"))
    wire = server.answer(dns.message.make_query("ny.example", "A").to_wire())
    assert wire is not None
    assert dns.message.from_wire(wire).answer[0][0].to_text() == "127.0.0.9"
    assert server.asked == {("ny.example", "A"): 1}


def test_noise_is_met_with_silence() -> None:
    assert DnsServer({}).answer(b"\x00nonsense") is None
