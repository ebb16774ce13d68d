"""The pool: how many conversations, with which host, and what comes back untried."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import trustme

from config.vocabulary import Host, Limits, Reply, Route, TlsDemand
from engine.clock import HandClock
from engine.deliver.attempt import Attempt, Blame, Envelope
from engine.deliver.pool import Pool
from engine.deliver.session import Dialler
from tests.deliver.posts import PATIENT, QUICK, envelopes, route_to, words
from tests.fakes.mx import DROP, FakeMx

ALL = Limits(connections=10, messages_per_connection=100)
ONE = Limits(connections=1, messages_per_connection=100)
CLOSING = b"421 4.7.0 Slow down\r\n"


class Sender:
    """A pool with what it reported and heard."""

    def __init__(self, patience_seconds: float = 0.05) -> None:
        self.clock = HandClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.attempts: list[Attempt] = []
        self.heard: list[Reply] = []
        self.halted = False
        self.pool = Pool(
            Dialler("out.example", PATIENT),
            self.clock,
            hear=lambda route, reply: self.heard.append(reply),
            patience_seconds=patience_seconds,
        )

    async def send(self, route: Route, mails: list[Envelope], limits: Limits = ALL) -> list[int]:
        untried = await self.pool.deliver(route, mails, limits, self.attempts.append, lambda: self.halted)
        return [mail.job_id for mail in untried]

    @property
    def words(self) -> list[tuple[int, str, int]]:
        return words(self.attempts)

    @property
    def accepted(self) -> list[int]:
        return sorted(attempt.envelope.job_id for attempt in self.attempts if attempt.blame is None)


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    sender = Sender()
    yield sender
    await sender.pool.close()


def dead(number: int = 1) -> Host:
    """A host where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Host(f"dead{number}.example.org", ("127.0.0.1",), probe.getsockname()[1])


async def test_all_mails_of_a_site_go_out_once(sender: Sender) -> None:
    async with FakeMx() as mx:
        assert await sender.send(route_to(mx), envelopes(200)) == []
        assert len(mx.recipients) == len(set(mx.recipients)) == 200
        assert 1 < mx.most_connections_at_once <= 10
        await sender.pool.close()
    assert sender.accepted == list(range(1, 201))


async def test_no_more_connections_than_the_limit_whatever_calls_at_once() -> None:
    sender, limits = Sender(patience_seconds=30.0), Limits(connections=3, messages_per_connection=7)
    async with FakeMx() as mx:
        mails = envelopes(120)
        await asyncio.gather(*(sender.send(route_to(mx), mails[part::4], limits) for part in range(4)))
        assert mx.most_connections_at_once == 3
        assert len(mx.recipients) == 120
        await sender.pool.close()


async def test_a_site_that_takes_nothing_gets_one_connection() -> None:
    sender = Sender()
    async with FakeMx(script={"RCPT": [b"550 5.7.1 Listed\r\n"] * 50}, always={"DATA": b"503 5.5.1 No\r\n"}) as mx:
        await sender.send(route_to(mx), envelopes(50))
        assert mx.most_connections_at_once == 1
        await sender.pool.close()


async def test_a_connection_carries_no_more_mails_than_the_limit(sender: Sender) -> None:
    async with FakeMx() as mx:
        assert await sender.send(route_to(mx), envelopes(10), Limits(1, 3)) == []
        assert mx.connections == 4
        assert mx.most_connections_at_once == 1
        await sender.pool.close()


async def test_an_idle_connection_is_used_again(sender: Sender) -> None:
    async with FakeMx() as mx:
        for mail in envelopes(3):
            await sender.send(route_to(mx), [mail])
        assert (mx.connections, sender.accepted) == (1, [1, 2, 3])
        await sender.pool.close()
        assert mx.commands[-1] == "QUIT"


async def test_an_idle_connection_serves_another_domain_on_the_same_host(sender: Sender) -> None:
    async with FakeMx() as mx:
        await sender.send(route_to(mx, domain="a.example"), envelopes(1))
        await sender.send(route_to(mx, domain="b.example"), envelopes(1))
        assert mx.connections == 1
        await sender.pool.close()


async def test_an_idle_connection_in_plaintext_serves_no_domain_that_demands_tls(sender: Sender) -> None:
    async with FakeMx() as mx:
        route = route_to(mx)
        await sender.send(route, envelopes(1))
        strict = replace(route, hosts=(replace(route.hosts[0], tls=TlsDemand("mta-sts")),))
        assert await sender.send(strict, envelopes(1)) == []
        assert sender.words == [(1, "dot", 250), (1, "starttls", 0)]
        await sender.pool.close()


async def test_an_idle_connection_that_the_receiver_closed_costs_no_mail_its_try(sender: Sender) -> None:
    async with FakeMx(script={"MAIL": [b"250 Ok\r\n", DROP]}) as mx:
        await sender.send(route_to(mx), envelopes(1))
        await sender.send(route_to(mx), envelopes(2)[1:])
        assert sender.words == [(1, "dot", 250), (2, "dot", 250)]
        assert mx.connections == 2
        await sender.pool.close()


async def test_an_idle_connection_is_left_after_a_while() -> None:
    pool = Pool(Dialler("out.example", PATIENT), HandClock(datetime(2026, 1, 1, tzinfo=UTC)), idle_seconds=0.01)
    async with FakeMx() as mx:
        await pool.deliver(route_to(mx), envelopes(1), ALL, lambda attempt: None)
        assert pool.connections("example.org") == 1
        async with asyncio.timeout(2):
            await mx.wait_empty()
        assert mx.commands[-1] == "QUIT"


async def test_an_idle_connection_makes_room_for_another_host_of_the_site(sender: Sender) -> None:
    async with FakeMx() as first, FakeMx() as second:
        await sender.send(route_to(first, site="one"), envelopes(1), ONE)
        await sender.send(route_to(second, site="one"), envelopes(2)[1:], ONE)
        assert sender.accepted == [1, 2]
        await sender.pool.close()


async def test_a_site_that_nobody_answers_for_costs_one_mail_as_the_probe(sender: Sender) -> None:
    route = Route("example.org", "example.org", (dead(1), dead(2)))
    assert await sender.send(route, envelopes(50)) == list(range(2, 51))
    assert sender.words == [(1, "connect", 0)]
    assert sender.attempts[0].blame is Blame.HOST
    assert sender.pool.connections("example.org") == 0


@pytest.mark.parametrize("greeting", [b"421 4.3.2 Busy\r\n", b"450 4.3.2 Busy\r\n", b"554 5.3.2 Busy\r\n", DROP])
async def test_the_next_host_is_tried_where_the_best_will_not_talk(sender: Sender, greeting: bytes) -> None:
    async with FakeMx(always={"BANNER": greeting}) as first, FakeMx() as second:
        assert await sender.send(route_to(first, second), envelopes(3), ONE) == []
        assert (first.connections, len(second.mails)) == (1, 3)
        await sender.pool.close()
    assert sender.attempts[0].host == "mx2.example.org [127.0.0.1]"


async def test_the_next_host_is_not_tried_where_the_best_refuses_the_mail(sender: Sender) -> None:
    async with FakeMx(always={"RCPT": b"550 5.1.1 Who?\r\n", "DATA": b"503 5.5.1 No\r\n"}) as first, FakeMx() as second:
        await sender.send(route_to(first, second), envelopes(2))
        assert second.connections == 0
        await sender.pool.close()
    assert sender.words == [(1, "rcpt", 550), (2, "rcpt", 550)]


async def test_a_receivers_words_tell_more_than_silence(sender: Sender) -> None:
    async with FakeMx(always={"BANNER": b"554 5.7.1 Listed\r\n"}) as mx:
        route = route_to(mx)
        await sender.send(replace(route, hosts=(dead(), *route.hosts, dead(2))), envelopes(1))
    assert str(sender.attempts[0].reply) == "554 5.7.1 Listed"
    assert sender.attempts[0].host == "mx1.example.org [127.0.0.1]"


async def test_the_other_family_is_tried_and_remembered(sender: Sender) -> None:
    async with FakeMx() as mx:
        route = Route("example.org", "example.org", (Host("mx", ("::1", "127.0.0.1"), mx.port),))
        await sender.send(route, envelopes(1))
        assert sender.accepted == [1]
        assert sender.pool._memory.order(route.hosts, sender.clock.now())[0][1] == "127.0.0.1"
        await sender.pool.close()


async def test_421_on_the_first_mail_costs_that_mail_its_try_and_no_other(sender: Sender) -> None:
    async with FakeMx(always={"MAIL": CLOSING}) as mx:
        assert await sender.send(route_to(mx), envelopes(20)) == list(range(2, 21))
        assert mx.connections == 1
    assert sender.words == [(1, "mail", 421)]
    assert sender.attempts[0].blame is Blame.SESSION


async def test_421_after_some_mails_costs_no_mail_its_try(sender: Sender) -> None:
    async with FakeMx(script={"MAIL": [b"250 Ok\r\n", b"250 Ok\r\n", CLOSING]}) as mx:
        assert await sender.send(route_to(mx), envelopes(5), ONE) == []
        assert mx.connections == 2
        await sender.pool.close()
    assert sender.accepted == [1, 2, 3, 4, 5]
    assert [reply.code for reply in sender.heard] == [421]


async def test_a_receiver_that_always_drops_at_the_dot_is_not_asked_again_and_again(sender: Sender) -> None:
    async with FakeMx(always={"DOT": DROP}) as mx:
        assert await sender.send(route_to(mx), envelopes(20)) == list(range(2, 21))
        assert mx.connections == 1
    assert [(attempt.envelope.job_id, attempt.uncertain) for attempt in sender.attempts] == [(1, True)]


async def test_too_many_connections_is_heard_and_the_mails_go_out_on_those_there_are(sender: Sender) -> None:
    async with FakeMx(max_connections=2) as mx:
        assert await sender.send(route_to(mx), envelopes(100)) == []
        assert len(set(mx.recipients)) == 100
        await sender.pool.close()
    assert sender.accepted == list(range(1, 101))
    assert {reply.code for reply in sender.heard} == {421}


def halt_after(sender: Sender, count: int) -> Callable[[Attempt], None]:
    def report(attempt: Attempt) -> None:
        sender.attempts.append(attempt)
        sender.halted = len(sender.attempts) >= count

    return report


async def test_a_halt_leaves_the_rest_untried(sender: Sender) -> None:
    refusals = {"RCPT": b"550 5.7.1 Listed\r\n", "DATA": b"503 5.5.1 No\r\n"}
    async with FakeMx(always=refusals) as mx:
        untried = await sender.pool.deliver(
            route_to(mx), envelopes(100), ALL, halt_after(sender, 3), lambda: sender.halted
        )
        await sender.pool.close()
    assert len(sender.attempts) == 3
    assert [mail.job_id for mail in untried] == list(range(4, 101))


async def test_mails_wait_no_longer_than_is_bearable_for_a_connection(sender: Sender) -> None:
    async with FakeMx(extensions=(), always={"DOT": b"(silence)"}) as mx:
        first = asyncio.create_task(sender.send(route_to(mx), envelopes(1), ONE))
        await mx.got_mail.wait()
        assert await sender.send(route_to(mx), envelopes(3)[1:], ONE) == [2, 3]
        mx.drop_all()
        await first


async def test_an_accident_in_a_report_is_raised_and_closes_what_is_open(sender: Sender) -> None:
    def stumble(attempt: Attempt) -> None:
        raise ZeroDivisionError

    async with FakeMx() as mx:
        with pytest.raises(ExceptionGroup):
            await sender.pool.deliver(route_to(mx), envelopes(5), ALL, stumble)
        await mx.wait_empty()


async def test_a_host_without_addresses_is_a_probe_too(sender: Sender) -> None:
    route = Route("example.org", "example.org", (Host("mx", ()),))
    assert await sender.send(route, envelopes(2)) == [2]
    assert sender.words == [(1, "connect", 0)]


async def test_broken_tls_is_remembered_and_mail_goes_in_plaintext() -> None:
    pool = Pool(Dialler("out.example", PATIENT), HandClock(datetime(2026, 1, 1, tzinfo=UTC)), idle_seconds=0)
    attempts: list[Attempt] = []
    async with FakeMx(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as mx:  # a server without a certificate
        await pool.deliver(route_to(mx), envelopes(1), ALL, attempts.append)
        assert mx.connections == 2
        await pool.close()
        await pool.deliver(route_to(mx), envelopes(1), ALL, attempts.append)
        assert mx.connections == 3
        await pool.close()
    assert [(attempt.reply.code, attempt.tls) for attempt in attempts] == [(250, ""), (250, "")]


async def test_broken_tls_is_no_excuse_where_tls_is_demanded() -> None:
    pool = Pool(Dialler("out.example", QUICK), HandClock(datetime(2026, 1, 1, tzinfo=UTC)))
    attempts: list[Attempt] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("mx1.example.org").configure_cert(context)
    async with FakeMx(tls=context) as mx:
        route = route_to(mx)
        strict = replace(route, hosts=(replace(route.hosts[0], tls=TlsDemand("mta-sts")),))
        assert len(await pool.deliver(strict, envelopes(3), ALL, attempts.append)) == 2
        assert mx.mails == []
    assert words(attempts) == [(1, "starttls", 0)]
