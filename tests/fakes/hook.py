"""FakeHook: an association's program on loopback that is told of events, and answers as it is told to."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@dataclass
class FakeHook:
    """`answers` are given first, then 200 for ever; while `gate` is shut no answer is given at all."""

    answers: list[bytes] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    posts: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/krok"

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event of every post, in the order in which they came."""
        return [event for _, body in self.posts for event in orjson.loads(body)["events"]]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        self.posts.append((headers, await reader.readexactly(int(headers["content-length"]))))
        await self.gate.wait()
        writer.write(self.answers.pop(0) if self.answers else OK)
        writer.close()


@asynccontextmanager
async def listening(*answers: bytes, is_silent: bool = False) -> AsyncIterator[FakeHook]:
    """A program that listens as long as the block lasts."""
    hook = FakeHook(list(answers))
    if not is_silent:
        hook.gate.set()
    async with await asyncio.start_server(hook.serve, "127.0.0.1", 0) as server:
        hook.port = server.sockets[0].getsockname()[1]
        yield hook
        hook.gate.set()


def proves(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a post is signed as Standard Webhooks says."""
    key = b64decode(secret.removeprefix("whsec_"))
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = b64encode(hmac.digest(key, said, hashlib.sha256)).decode()
    return hmac.compare_digest(headers["webhook-signature"], f"v1,{mac}")
