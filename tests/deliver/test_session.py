"""How a conversation is opened, or why not."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import pytest
import trustme

from config.vocabulary import Host, Stage, TlsDemand
from engine.deliver.attempt import Attempt
from engine.deliver.session import Dialler, Unreachable
from tests.deliver.posts import PATIENT, QUICK, envelope
from tests.fakes.mx import DROP, SILENCE, FakeMx

NAME = "mx1.example"
NO_DEMAND = TlsDemand()


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()[1]


async def try_to_open(mx: FakeMx | int, dialler: Dialler | None = None, tls: TlsDemand = NO_DEMAND) -> Unreachable:
    port = mx if isinstance(mx, int) else mx.port
    with pytest.raises(Unreachable) as caught:
        await (dialler or Dialler("out.example", QUICK)).open(Host(NAME, ("127.0.0.1",), port, tls), "127.0.0.1")
    return caught.value


@pytest.mark.parametrize(
    ("script", "stage", "code"),
    [
        ({"BANNER": [b"554 5.7.1 No service for you\r\n"]}, Stage.BANNER, 554),
        ({"BANNER": [b"421 4.7.0 Too many connections\r\n"]}, Stage.BANNER, 421),
        ({"BANNER": [b"hello\r\n"]}, Stage.BANNER, 0),
        ({"BANNER": [b"250 Odd\r\n"]}, Stage.BANNER, 0),
        ({"BANNER": [DROP]}, Stage.BANNER, 0),
        ({"BANNER": [SILENCE]}, Stage.BANNER, 0),
        ({"BANNER": [b"220-" + b"x" * 40_000]}, Stage.BANNER, 0),
    ],
)
async def test_a_receiver_that_will_not_greet_is_unreachable(
    script: dict[str, list[bytes]], stage: Stage, code: int
) -> None:
    async with FakeMx(script=script) as mx:
        failure = await try_to_open(mx)
    assert (failure.at, failure.reply.code) == (stage, code)
    assert failure.host == "mx1.example [127.0.0.1]"


@pytest.mark.parametrize(
    ("answer", "code"),
    [(b"450 4.7.1 Wait\r\n", 450), (DROP, 0), (SILENCE, 0), (b"???\r\n", 0), (b"421 4.3.2 Closing\r\n", 421)],
)
async def test_a_receiver_that_refuses_our_hello_is_unreachable(answer: bytes, code: int) -> None:
    async with FakeMx(always={"EHLO": answer}) as mx:
        failure = await try_to_open(mx)
    assert (failure.at, failure.reply.code) == (Stage.HELO, code)


async def test_a_receiver_that_refuses_both_hellos_is_unreachable_in_its_own_words() -> None:
    async with FakeMx(always={"EHLO": b"550 5.7.1 Bad name\r\n", "HELO": b"550 5.7.1 Bad name\r\n"}) as mx:
        failure = await try_to_open(mx)
    assert str(failure.reply) == "550 5.7.1 Bad name"


async def test_a_port_nobody_listens_on_is_unreachable(free_port: int) -> None:
    failure = await try_to_open(free_port)
    assert (failure.at, failure.reply.code, str(failure.reply.enhanced)) == (Stage.CONNECT, 0, "4.4.1")


async def test_an_address_that_may_not_be_dialled_is_not() -> None:
    async with FakeMx() as mx:
        failure = await try_to_open(mx, Dialler("out.example", QUICK, may_dial=lambda address: False))
        assert mx.connections == 0
    assert (failure.at, str(failure.reply.enhanced)) == (Stage.CONNECT, "4.4.4")


async def test_mail_leaves_from_the_source_address() -> None:
    async with FakeMx() as mx:
        dialler = Dialler("out.example", PATIENT, sources=("::1", "127.0.0.5"))
        conversation = await dialler.open(Host(NAME, ("127.0.0.1",), mx.port), "127.0.0.1")
        assert mx.peers == ["127.0.0.5"]
        conversation.leave()


async def test_a_family_without_a_source_address_is_not_dialled() -> None:
    async with FakeMx() as mx:
        failure = await try_to_open(mx, Dialler("out.example", QUICK, sources=("::1",)))
    assert "no IPv4 address" in failure.reply.text


async def test_a_source_address_that_is_not_ours_is_unreachable_and_said_so() -> None:
    async with FakeMx() as mx:
        failure = await try_to_open(mx, Dialler("out.example", QUICK, sources=("192.0.2.1",)))
    assert failure.at is Stage.CONNECT
    assert failure.is_no_way_out


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA, name: str = NAME) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> Dialler:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return Dialler("out.example", PATIENT, verifying=lambda: context)


async def deliver_one(mx: FakeMx, dialler: Dialler, tls: TlsDemand = NO_DEMAND) -> Attempt:
    conversation = await dialler.open(Host(NAME, ("127.0.0.1",), mx.port, tls), "127.0.0.1")
    waiting, attempts = [envelope()], list[Attempt]()
    await conversation.run(lambda: waiting.pop() if waiting else None, attempts.append)
    conversation.leave()
    return attempts[0]


async def test_tls_is_used_where_it_is_offered_whatever_the_certificate(authority: trustme.CA) -> None:
    async with FakeMx(tls=server_context(authority, "other.example")) as mx:
        attempt = await deliver_one(mx, Dialler("out.example", PATIENT))
        assert [command.split()[0] for command in mx.commands[:4]] == ["EHLO", "STARTTLS", "EHLO", "MAIL"]
    assert attempt.reply.code == 250
    assert attempt.tls.startswith("TLSv1.3 TLS_")


async def test_plaintext_goes_on_where_starttls_is_declined(authority: trustme.CA) -> None:
    declined = {"STARTTLS": b"454 4.7.0 Not now\r\n"}
    async with FakeMx(tls=server_context(authority), always=declined) as mx:
        attempt = await deliver_one(mx, Dialler("out.example", PATIENT))
    assert (attempt.reply.code, attempt.tls) == (250, "")


async def test_a_broken_handshake_is_told_apart() -> None:
    async with FakeMx(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as mx:  # without a certificate
        failure = await try_to_open(mx)
    assert (failure.at, failure.reply.code) == (Stage.STARTTLS, 0)


async def test_a_trusted_certificate_fulfils_mta_sts(authority: trustme.CA) -> None:
    async with FakeMx(tls=server_context(authority)) as mx:
        attempt = await deliver_one(mx, trusting(authority), TlsDemand("mta-sts"))
    assert attempt.reply.code == 250
    assert attempt.tls.endswith(" mta-sts")


@pytest.mark.parametrize("name", ["other.example", "example"])
async def test_mta_sts_takes_no_certificate_with_another_name(authority: trustme.CA, name: str) -> None:
    async with FakeMx(tls=server_context(authority, name)) as mx:
        failure = await try_to_open(mx, trusting(authority), TlsDemand("mta-sts"))
    assert failure.at is Stage.STARTTLS
    assert mx.mails == []


async def test_mta_sts_takes_no_certificate_of_a_stranger(authority: trustme.CA) -> None:
    async with FakeMx(tls=server_context(trustme.CA())) as mx:
        failure = await try_to_open(mx, trusting(authority), TlsDemand("mta-sts"))
    assert failure.at is Stage.STARTTLS


@pytest.mark.parametrize("policy", ["mta-sts", "dane"])
async def test_no_plaintext_where_tls_is_demanded(authority: trustme.CA, policy: str) -> None:
    async with FakeMx() as mx:
        failure = await try_to_open(mx, tls=TlsDemand(policy))
        assert (failure.at, failure.reply.code) == (Stage.STARTTLS, 0)
    async with FakeMx(tls=server_context(authority), always={"STARTTLS": b"454 4.7.0 Not now\r\n"}) as mx:
        failure = await try_to_open(mx, tls=TlsDemand(policy))
        assert (failure.at, failure.reply.code) == (Stage.STARTTLS, 454)
        assert "MAIL" not in " ".join(mx.commands)
