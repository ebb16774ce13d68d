"""A plain SMTP client for tests: says lines, hears answers."""

from __future__ import annotations

import asyncio
import contextlib


class PlainClient:
    """One connection, line by line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, address: str, port: int) -> PlainClient:
        return cls(*await asyncio.open_connection(address, port))

    async def hear(self) -> str:
        """The next answer, its lines joined; "" when the other side has hung up."""
        lines = []
        while line := (await self._reader.readline()).decode().rstrip("\r\n"):
            lines.append(line)
            if line[3:4] != "-":
                break
        return "\n".join(lines)

    async def say(self, line: str) -> str:
        self.write(line.encode() + b"\r\n")
        return await self.hear()

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def deliver(self, mail_from: str, recipient: str, wire: bytes) -> str:
        """Send one mail and return the answer that ended it."""
        for line in (f"MAIL FROM:<{mail_from}>", f"RCPT TO:<{recipient}>", "DATA"):
            answer = await self.say(line)
            if answer[:1] not in ("2", "3"):
                await self.say("RSET")
                return answer
        self.write(wire + b".\r\n")
        return await self.hear()
