"""Who calls the listener in the tests: a caller that says what it likes, and the addresses that are ours."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self

from engine.listen.policy import RecipientPolicy
from engine.return_path import KeyRing, return_path

SOAK = os.environ.get("BREVDUVA_SOAK") == "1"
RING = KeyRing((b"a key of the tests, not a secret",))
HOSTNAME = "mail.brevduva.example"
BOUNCE_DOMAIN = "retur.brevduva.example"
SENDER = "utskick@brevduva.example"
POLICY = RecipientPolicy(RING, BOUNCE_DOMAIN, SENDER)
DSN = b"Subject: Undelivered Mail\r\nContent-Type: text/plain\r\n\r\n" + b"The mailbox is full.\r\n" * 150


def signed(message_id: int = 7) -> str:
    """Return the return path of a message of ours."""
    return return_path(RING, message_id, BOUNCE_DOMAIN)


class Caller:
    """One connection to the listener, in words."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def call(cls, port: int, source: str = "127.0.0.1") -> Self:
        """Connect from an address of this machine; nothing is heard yet."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(reader, writer)

    @classmethod
    async def introduced(cls, port: int, source: str = "127.0.0.1") -> Self:
        """Connect, hear the greeting and say EHLO."""
        caller = await cls.call(port, source)
        assert (await caller.hear()).startswith("220 ")
        assert (await caller.say("EHLO friend.example")).startswith("250")
        return caller

    async def hear(self) -> str:
        """Return the next reply, all its lines; "" where the listener hung up."""
        lines: list[str] = []
        while line := (await self.reader.readline()).decode():
            lines.append(line.removesuffix("\r\n"))
            if line[3:4] != "-":
                break
        return "\n".join(lines)

    async def say(self, command: str) -> str:
        self.shout(command.encode() + b"\r\n")
        return await self.hear()

    def shout(self, octets: bytes) -> None:
        """Send without listening."""
        self.writer.write(octets)

    async def hand_over(self, recipient: str, content: bytes = DSN, sender: str = "") -> str:
        """Send one mail and return the last reply; `content` is dot-stuffed already and ends with CRLF."""
        for command in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA"):
            reply = await self.say(command)
            if not reply.startswith(("2", "3")):
                return reply
        self.shout(content + b".\r\n")
        return await self.hear()

    async def go_over_to_tls(self, context: ssl.SSLContext) -> None:
        assert (await self.say("STARTTLS")).startswith("220 ")
        await self.writer.start_tls(context, server_hostname=HOSTNAME)

    async def is_cut(self) -> bool:
        """Wait for the end of the connection; False where the listener still talks."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True

    async def hang_up(self) -> None:
        self.writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()


@asynccontextmanager
async def calling(port: int, source: str = "127.0.0.1") -> AsyncIterator[Caller]:
    """An introduced caller for the length of a block."""
    caller = await Caller.introduced(port, source)
    try:
        yield caller
    finally:
        await caller.hang_up()
