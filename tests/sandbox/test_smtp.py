"""What an exchanger of the box answers to good clients and bad ones."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import AsyncIterator

import pytest

from engine.sandbox.mx import Exchangers
from engine.sandbox.smtp_dialogue import Answer, Exchanger, IncomingMail, Then
from tests.sandbox.client import PlainClient

MODERN = Exchanger("mx.modern.example", "127.0.0.10", offers_tls=True)
OLD = Exchanger("mx.old.example", "127.0.0.11", ("SIZE 10485760",))
SILENT = Exchanger("mx.silent.example", "127.0.0.12")
DOWN = Exchanger("mx.down.example", "127.0.0.13", is_up=False)
LETTER = b"Subject: Hej\r\n\r\n..dotted\r\n"


class FakeKeeper:
    """Takes every mail but those for `nobody`."""

    def __init__(self) -> None:
        self.mails: list[IncomingMail] = []

    def greet(self, host: Exchanger) -> Answer:
        return Answer(then=Then.IGNORE) if host is SILENT else Answer(f"220 {host.name}")

    def hear(self, host: Exchanger, mail_from: str, recipient: str) -> Answer:
        return Answer("550 5.1.1 Unknown") if recipient.startswith("nobody") else Answer("250 2.1.5 Ok")

    def take(self, mail: IncomingMail) -> Answer:
        self.mails.append(mail)
        return Answer(then=Then.HANG_UP) if mail.recipient.startswith("dropper") else Answer("250 2.0.0 Taken")


class Box:
    """The servers, who keeps their mail, and the port."""

    def __init__(self, keeper: FakeKeeper, port: int) -> None:
        self.keeper, self.port = keeper, port

    async def greeted(self, host: Exchanger = MODERN) -> PlainClient:
        client = await PlainClient.connect(host.address, self.port)
        assert await client.hear() == f"220 {host.name}"
        await client.say("EHLO us.example")
        return client


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    keeper = FakeKeeper()
    servers = Exchangers((MODERN, OLD, SILENT, DOWN), keeper)
    yield Box(keeper, await servers.start())
    await servers.stop()


async def test_a_mail_arrives_undone_of_its_dot_stuffing(box: Box) -> None:
    client = await box.greeted()
    assert await client.deliver("b@us.example", "ida@modern.example", LETTER) == "250 2.0.0 Taken"
    [mail] = box.keeper.mails
    assert mail == IncomingMail(
        "mx.modern.example", "b@us.example", "ida@modern.example", "", b"Subject: Hej\r\n\r\n.dotted\r\n", False
    )
    await client.close()


async def test_an_empty_mail_arrives_empty(box: Box) -> None:
    client = await box.greeted()
    await client.deliver("b@us.example", "ida@modern.example", b"")
    assert box.keeper.mails[0].wire == b""
    await client.close()


async def test_pipelined_commands_are_answered_in_order(box: Box) -> None:
    client = await box.greeted()
    client.write(b"MAIL FROM:<b@us.example>\r\nRCPT TO:<ida@modern.example>\r\nDATA\r\n")
    answers = [await client.hear() for _ in range(3)]
    assert [answer[:3] for answer in answers] == ["250", "250", "354"]
    client.write(LETTER + b".\r\n")
    assert await client.hear() == "250 2.0.0 Taken"
    await client.close()


async def test_a_mail_may_come_byte_by_byte(box: Box) -> None:
    client = await box.greeted()
    for line in ("MAIL FROM:<b@us.example>", "RCPT TO:<ida@modern.example>", "DATA"):
        await client.say(line)
    for byte in LETTER + b".\r\n":
        client.write(bytes([byte]))
        await asyncio.sleep(0)
    assert await client.hear() == "250 2.0.0 Taken"
    await client.close()


@pytest.mark.parametrize(
    ("host", "early"),
    [
        (OLD, b"MAIL FROM:<b@us.example>\r\nRCPT TO:<ida@old.example>\r\n"),
        (MODERN, b"NOOP\r\nNOOP\r\n"),
        (MODERN, b"STARTTLS\r\nMAIL FROM:<b@us.example>\r\n"),
    ],
)
async def test_who_speaks_out_of_turn_is_hung_up_on(box: Box, host: Exchanger, early: bytes) -> None:
    client = await box.greeted(host)
    client.write(early)
    assert (await client.hear()).startswith("503 5.5.1 Wait")
    assert await client.hear() == ""
    await client.close()


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        (["MAIL FROM:<b@us.example> BODY=8BITMIME SIZE=1000 ENVID=x RET=HDRS"], "250"),
        (["MAIL FROM:<b@us.example> AUTH=<>"], "555"),
        (["MAIL FROM:<b@us.example> SIZE=99999999"], "552"),
        (["MAIL FROM: b@us.example"], "501"),
        (["MAIL TO:<b@us.example>"], "501"),
        (["MAIL FROM:<>", "RCPT TO:<ida@modern.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;ida@modern.example"], "250"),
        (["MAIL FROM:<>", "MAIL FROM:<>"], "503"),
        (["MAIL FROM:<>", "RSET", "RCPT TO:<ida@modern.example>"], "503"),
        (["MAIL FROM:<>", "RCPT TO:<nobody@modern.example>", "DATA"], "503"),
        (["MAIL FROM:<>", "RCPT TO:<ida@modern.example>", "RCPT TO:<bo@modern.example>"], "452"),
        (["MAIL FROM:<>", "RCPT TO:<åsa@modern.example>"], "553"),
        (["MAIL FROM:<> SMTPUTF8", "RCPT TO:<åsa@modern.example>"], "250"),
        (["RCPT TO:<ida@modern.example>"], "503"),
        (["DATA"], "503"),
        (["VRFY ida"], "500"),
        (["NOOP"], "250"),
        (["QUIT"], "221"),
    ],
)
async def test_each_command_has_its_answer(box: Box, commands: list[str], code: str) -> None:
    client = await box.greeted()
    answers = [await client.say(command) for command in commands]
    assert answers[-1][:3] == code
    await client.close()


async def test_parameters_that_were_not_offered_are_refused(box: Box) -> None:
    client = await box.greeted(OLD)
    assert (await client.say("MAIL FROM:<b@us.example> BODY=8BITMIME"))[:3] == "555"
    await client.close()


async def test_a_bare_line_feed_ends_the_talk(box: Box) -> None:
    client = await box.greeted()
    client.write(b"NOOP\n")
    assert (await client.hear())[:3] == "500"
    await client.close()


async def test_a_line_without_end_is_refused(box: Box) -> None:
    client = await box.greeted()
    client.write(b"A" * 5000)
    assert await client.hear() == "500 5.5.2 Line too long"
    await client.close()


async def test_a_silent_host_connects_and_never_greets(box: Box) -> None:
    client = await PlainClient.connect(SILENT.address, box.port)
    client.write(b"EHLO us.example\r\n")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.hear(), 0.05)
    await client.close()


async def test_a_host_that_is_down_refuses_connections(box: Box) -> None:
    with pytest.raises(ConnectionRefusedError):
        await PlainClient.connect(DOWN.address, box.port)


async def test_a_connection_can_break_after_the_final_dot(box: Box) -> None:
    client = await box.greeted()
    assert await client.deliver("b@us.example", "dropper@modern.example", LETTER) == ""
    assert len(box.keeper.mails) == 1
    await client.close()


def _send_over_tls(port: int) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP(MODERN.address, port, "us.example") as client:
        client.starttls(context=context)
        client.sendmail("b@us.example", "ida@modern.example", LETTER)


async def test_a_host_with_a_certificate_takes_mail_over_tls(box: Box) -> None:
    await asyncio.to_thread(_send_over_tls, box.port)
    assert box.keeper.mails[0].is_tls


async def test_a_broken_handshake_ends_only_that_connection(box: Box) -> None:
    client = await box.greeted()
    assert (await client.say("STARTTLS"))[:3] == "220"
    client.write(b"this is no handshake\r\n")
    await client.hear()
    await client.close()
    await asyncio.to_thread(_send_over_tls, box.port)
