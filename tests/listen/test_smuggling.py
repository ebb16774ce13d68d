"""SMTP smuggling: no sequence that some other server takes for the end of a mail ends one here."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from tests.listen.callers import Caller, signed
from tests.listen.conftest import House, Open

SEQUENCES = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\r.\n",
    b"\n.\r",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\0\n.\r\0\n",
    b"\0\r\n.\n",
    b"\r\n\x0b.\r\n",
    b"\x0b.\x0b",
    b"\x0c.\x0c",
    b"\x85.\x85",
    b"\r\n.\xc2\x85",
    "\u2028.\u2028".encode(),
    "\r\n.\u2029\r\n".encode(),
    b"\r\n. \r\n",
]
SMUGGLED = (
    f"MAIL FROM:<evil@example.org>\r\nRCPT TO:<{signed(8)}>\r\nDATA\r\nSubject: smuggled\r\n\r\nevil\r\n.\r\n".encode()
)
HEAD = b"Subject: honest\r\n\r\nhonest"


async def shout_whole(caller: Caller, wire: bytes) -> None:
    caller.shout(wire)


async def shout_after_a_long_line(caller: Caller, wire: bytes) -> None:
    """The first end of a line stands 200 kB in, beyond every buffer."""
    caller.shout(b"X-Long: " + b"x" * 200_000 + b"\r\n" + wire)


async def shout_byte_by_byte(caller: Caller, wire: bytes) -> None:
    for position in range(len(wire)):
        caller.shout(wire[position : position + 1])
        await asyncio.sleep(0)


WAYS = [shout_whole, shout_after_a_long_line, shout_byte_by_byte]


async def smuggle(house: House, caller: Caller, sequence: bytes, way: int) -> None:
    """Try one sequence: the listener answers once, and keeps the one mail or none."""
    for command in ("MAIL FROM:<ida@example.org>", f"RCPT TO:<{signed()}>", "DATA"):
        assert (await caller.say(command))[0] in "23"
    await WAYS[way](caller, HEAD + sequence + SMUGGLED)
    reply = await caller.hear()
    mails = list(house.listener.spool.pending())
    assert [mail.envelope.envelope_from for mail in mails] in ([], ["ida@example.org"])
    assert reply.startswith("250 " if mails else "550 5.6.0")
    has_bare = any(mark in sequence.replace(b"\r\n", b"") for mark in (b"\r", b"\n", b"\0"))
    assert bool(mails) is not has_bare
    assert (await caller.say("NOOP")) == "250 2.0.0 OK", "the next answer is to the next command"
    for mail in mails:
        mail.remove()


@pytest.mark.parametrize("way", range(len(WAYS)), ids=["whole", "after a long line", "byte by byte"])
async def test_nothing_is_smuggled_in_clear(house: House, way: int) -> None:
    for sequence in SEQUENCES:
        caller = await Caller.introduced(house.port)
        await smuggle(house, caller, sequence, way)
        await caller.hang_up()


@pytest.mark.parametrize("way", range(len(WAYS)), ids=["whole", "after a long line", "byte by byte"])
async def test_nothing_is_smuggled_in_tls(
    open_house: Open, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, way: int
) -> None:
    house = await open_house(tls=server_tls)
    for sequence in SEQUENCES:
        caller = await Caller.introduced(house.port)
        await caller.go_over_to_tls(client_tls)
        await caller.say("EHLO friend.example")
        await smuggle(house, caller, sequence, way)
        await caller.hang_up()
