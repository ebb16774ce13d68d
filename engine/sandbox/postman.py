"""Carries what receivers mail back to the one listener there is, over real SMTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


class Refused(Exception):
    """The listener would not have the mail; `reply` holds its words."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply

    @property
    def is_for_now(self) -> bool:
        return self.reply.startswith("4") or not self.reply


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail on its way back: from `host`, with envelope and text."""

    host: str
    sender: str
    recipient: str
    wire: bytes


class Postman:
    """Delivers to one address and port, a connection a mail, a few at a time."""

    def __init__(self, address: str, port: int, *, at_once: int = 4) -> None:
        self._address, self._port = address, port
        self._turns = asyncio.Semaphore(at_once)

    async def deliver(self, letter: Letter) -> None:
        """Deliver one mail; raises Refused, with no words where the connection could not be had."""
        async with self._turns:
            try:
                reader, writer = await asyncio.open_connection(self._address, self._port)
            except OSError:
                raise Refused("") from None
            try:
                await _talk(reader, writer, letter)
            finally:
                writer.close()


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, letter: Letter) -> None:
    await _hear(reader)
    for line in (f"EHLO {letter.host}", f"MAIL FROM:<{letter.sender}>", f"RCPT TO:<{letter.recipient}>", "DATA"):
        writer.write(f"{line}\r\n".encode())
        await _hear(reader)
    writer.write(_stuffed(letter.wire) + b".\r\n")
    await _hear(reader)
    writer.write(b"QUIT\r\n")


async def _hear(reader: asyncio.StreamReader) -> None:
    """Hear an answer out; raises Refused where it is not positive."""
    line = await reader.readline()
    while line[3:4] == b"-":
        line = await reader.readline()
    if line[:1] not in (b"2", b"3"):
        raise Refused(line.decode("utf-8", "replace").strip())


def _stuffed(wire: bytes) -> bytes:
    """A dot in front of every line that begins with one (RFC 5321 4.5.2), and a line end at the end."""
    ended = wire if wire.endswith(b"\r\n") else wire + b"\r\n"
    return (b"\r\n" + ended).replace(b"\r\n.", b"\r\n..")[2:]
