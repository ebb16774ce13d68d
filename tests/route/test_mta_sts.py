"""Policies read, fetched and remembered."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import trustme

from engine.clock import HandClock
from engine.route.mta_sts import (
    MAX_POLICY_BYTES,
    NO_POLICY,
    BadPolicy,
    Mode,
    PolicyFetcher,
    StsPolicies,
    StsPolicy,
    read_policy,
    read_policy_id,
)
from engine.route.resolver import Resolver
from engine.route.web import WebClient
from tests.fakes.dns import FakeDns

TEXT = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmx: *.Mail.example.org\r\nmax_age: 86400\r\n"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_policy_is_read() -> None:
    assert read_policy(TEXT) == StsPolicy(Mode.ENFORCE, ("mx1.example.org", "*.mail.example.org"), 86_400)


def test_the_first_of_a_repeated_field_counts_and_unknown_fields_do_not() -> None:
    policy = read_policy(TEXT.replace("\r\n", "\n") + "mode: none\nfuture: yes\n\n")
    assert policy.mode is Mode.ENFORCE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: STSv1", "version: STSv2"),
        ("mode: enforce", "mode: enforced"),
        ("mode: enforce\r\n", ""),
        ("max_age: 86400", "max_age: -1"),
        ("max_age: 86400", "max_age: ١"),
        ("max_age: 86400", "max_age: 99999999999"),
        ("mx: mx1.example.org\r\nmx: *.Mail.example.org\r\n", ""),
    ],
)
def test_a_policy_that_is_not_valid_is_none(old: str, new: str) -> None:
    with pytest.raises(BadPolicy):
        read_policy(TEXT.replace(old, new))


def test_a_policy_is_remembered_for_a_year_at_most() -> None:
    assert read_policy(TEXT.replace("86400", "9999999999")).max_age == 31_557_600


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("mx1.example.org", True),
        ("mx2.example.org", False),
        ("a.mail.example.org", True),
        ("a.b.mail.example.org", False),
        ("mail.example.org", False),
        ("mx1.example.org.evil.example", False),
    ],
)
def test_a_star_stands_for_one_label(host: str, allowed: bool) -> None:
    assert read_policy(TEXT).allows(host) is allowed


@pytest.mark.parametrize(
    ("texts", "policy_id"),
    [
        (("v=STSv1; id=20260101T000000;",), "20260101T000000"),
        (("v=STSv1;id=1",), "1"),
        (("v=spf1 -all", "v=STSv1; id=2;"), "2"),
        (("v=STSv1; id=1;", "v=STSv1; id=2;"), ""),
        (("v=STSv1; id=a b;",), ""),
        (("v=STSv1; id=" + "1" * 33,), ""),
        (("v=STSv1;",), ""),
        (("v=STSv2; id=1;",), ""),
        ((), ""),
    ],
)
def test_one_valid_record_gives_the_id(texts: tuple[str, ...], policy_id: str) -> None:
    assert read_policy_id(texts) == policy_id


class FakeFetcher:
    """Gives the text it holds, or fails where it holds none."""

    def __init__(self, text: str = TEXT) -> None:
        self.text = text
        self.fetched = 0

    async def fetch(self, domain: str) -> str:
        self.fetched += 1
        if not self.text:
            raise BadPolicy("no answer")
        return self.text


class Scene:
    """A domain with a policy, and what we know of it."""

    def __init__(self, dns: FakeDns) -> None:
        self.dns = dns
        self.clock = HandClock(NOW)
        self.fetcher = FakeFetcher()
        resolver = Resolver(self.clock, nameservers=["127.0.0.1"], port=dns.port)
        self.policies = StsPolicies(resolver, self.clock, self.fetcher)

    async def mode(self) -> Mode:
        return (await self.policies.find("example.org")).mode

    def publish(self, policy_id: str) -> None:
        self.dns.zone["_mta-sts.example.org"] = {"TXT": [f'"v=STSv1; id={policy_id};"']}


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with FakeDns() as dns:
        scene = Scene(dns)
        scene.publish("1")
        yield scene


async def test_a_domain_without_a_record_is_asked_for_no_policy(scene: Scene) -> None:
    assert await scene.policies.find("other.example") is NO_POLICY
    assert scene.fetcher.fetched == 0


async def test_a_policy_is_fetched_once_for_its_time(scene: Scene) -> None:
    for _ in range(3):
        assert await scene.mode() is Mode.ENFORCE
        scene.clock.leap(3600)
    assert scene.fetcher.fetched == 1
    scene.clock.leap(86_400)
    assert await scene.mode() is Mode.ENFORCE
    assert scene.fetcher.fetched == 2


async def test_a_new_id_has_the_policy_fetched_again(scene: Scene) -> None:
    await scene.mode()
    scene.publish("2")
    scene.fetcher.text = TEXT.replace("enforce", "testing")
    scene.clock.leap(301)
    assert await scene.mode() is Mode.TESTING


async def test_a_policy_outlives_the_silence_of_its_server_and_of_dns(scene: Scene) -> None:
    await scene.mode()
    scene.publish("2")
    scene.fetcher.text = ""
    scene.clock.leap(301)
    assert await scene.mode() is Mode.ENFORCE
    scene.dns.failing.add("_mta-sts.example.org")
    scene.clock.leap(3600)
    assert await scene.mode() is Mode.ENFORCE
    scene.clock.leap(86_400)
    assert await scene.mode() is Mode.NONE


async def test_a_fetch_that_failed_is_not_repeated_at_once(scene: Scene) -> None:
    scene.fetcher.text = ""
    for _ in range(5):
        assert await scene.mode() is Mode.NONE
    assert scene.fetcher.fetched == 1
    scene.fetcher.text = TEXT
    scene.clock.leap(301)
    assert await scene.mode() is Mode.ENFORCE


# Over HTTPS, for real.


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@asynccontextmanager
async def policy_host(
    authority: trustme.CA, answer: bytes, name: str = "mta-sts.example.org"
) -> AsyncIterator[tuple[PolicyFetcher, list[bytes]]]:
    """A web server on loopback that gives one answer, and a fetcher that asks it."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    zone = {"mta-sts.example.org": {"A": ["127.0.0.1"]}}
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server, FakeDns(zone) as dns:
        resolver = Resolver(HandClock(NOW), nameservers=["127.0.0.1"], port=dns.port)
        web = WebClient(resolver, lambda address: True, context=trusting)
        yield PolicyFetcher(web, port=server.sockets[0].getsockname()[1]), asked


def http(text: str, *, status: str = "200 OK", kind: str = "text/plain; charset=utf-8") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


async def test_a_policy_is_fetched_from_its_well_known_place(authority: trustme.CA) -> None:
    async with policy_host(authority, http(TEXT)) as (fetcher, asked):
        assert await fetcher.fetch("example.org") == TEXT
    assert asked[0].startswith(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\n")
    assert b"\r\nHost: mta-sts.example.org:" in asked[0]


@pytest.mark.parametrize(
    "answer",
    [
        http(TEXT, status="404 Not Found"),
        http("", status="302 Found\r\nLocation: https://evil.example/"),
        http(TEXT, kind="text/html"),
        http("x" * (MAX_POLICY_BYTES + 1)),
        b"220 mx.example ESMTP\r\n",
        b"",
    ],
)
async def test_anything_but_a_plain_answer_is_no_policy(authority: trustme.CA, answer: bytes) -> None:
    async with policy_host(authority, answer) as (fetcher, _):
        with pytest.raises(BadPolicy):
            await fetcher.fetch("example.org")


async def test_a_policy_host_must_bear_its_name(authority: trustme.CA) -> None:
    async with policy_host(authority, http(TEXT), "www.example.org") as (fetcher, asked):
        with pytest.raises(BadPolicy):
            await fetcher.fetch("example.org")
    assert asked == []


async def test_a_policy_host_at_an_address_that_may_not_be_dialled_is_not_asked(authority: trustme.CA) -> None:
    async with FakeDns({"mta-sts.example.org": {"A": ["127.0.0.1"]}}) as dns:
        resolver = Resolver(HandClock(NOW), nameservers=["127.0.0.1"], port=dns.port)
        with pytest.raises(BadPolicy, match="no address"):
            await PolicyFetcher(WebClient(resolver, lambda address: False)).fetch("example.org")
