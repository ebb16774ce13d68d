"""A web server for MTA-STS policies: one place for each domain, told apart by the Host field (RFC 8461 3.3)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import trustme

_QUESTION_BYTES = 4096


@asynccontextmanager
async def serving_policies(address: str, authority: trustme.CA, policies: Mapping[str, str]) -> AsyncIterator[None]:
    """Serve the policy of each domain at `mta-sts.<domain>`, under a certificate of the authority for all of them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(f"mta-sts.{domain}" for domain in policies)).configure_cert(context)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = (await reader.read(_QUESTION_BYTES)).decode().split("\r\n")
        host = next(line[6:] for line in question if line.lower().startswith("host: "))
        policy = policies[host.removeprefix("mta-sts.")] if ".well-known/mta-sts.txt" in question[0] else ""
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(policy)}\r\nConnection: close\r\n\r\n"
        )
        writer.write((head + policy).encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, address, 443, ssl=context)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()
