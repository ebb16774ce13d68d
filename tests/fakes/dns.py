"""FakeDns: a name server on loopback that knows what it is told, and can fail, stay silent or vouch (AD)."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset


@dataclass
class FakeDns:
    """`zone[name][type]` holds records in text form; names in `failing` answer SERVFAIL, in `silent` nothing at all."""

    zone: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    vouched: set[str] = field(default_factory=set)
    ttl: int = 300
    port: int = 0
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Desk(self), local_addr=("127.0.0.1", self.port)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()
        self._transport.close()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One question over TCP (RFC 1035 4.2.2)."""
        length = int.from_bytes(await reader.readexactly(2))
        response = self.answer(await reader.readexactly(length))
        if response:
            wire = response.to_wire(max_size=65_535)
            writer.write(len(wire).to_bytes(2) + wire)
        writer.close()
        await writer.wait_closed()

    def answer_shortly(self, wire: bytes) -> bytes | None:
        """The answer over UDP: cut off and marked as such where it is too long."""
        response = self.answer(wire)
        if response is None:
            return None
        try:
            return response.to_wire(max_size=1232)
        except dns.exception.TooBig:
            response.answer.clear()
            response.flags |= dns.flags.TC
            return response.to_wire()

    def answer(self, wire: bytes) -> dns.message.Message | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked[(name, kind)] += 1
        if name in self.silent:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if name in self.failing:
            response.set_rcode(dns.rcode.SERVFAIL)
        else:
            self._fill(response, name, kind)
        if name in self.vouched:
            response.flags |= dns.flags.AD
        return response

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> None:
        records = self.zone.get(name)
        if records is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif "CNAME" in records:
            response.answer.append(self._rrset(name, "CNAME", records["CNAME"]))
            self._fill(response, records["CNAME"][0].rstrip("."), kind)
        elif kind in records:
            response.answer.append(self._rrset(name, kind, records[kind]))

    def _rrset(self, name: str, kind: str, texts: list[str]) -> dns.rrset.RRset:
        return dns.rrset.from_text_list(dns.name.from_text(name), self.ttl, "IN", kind, texts)


class _Desk(asyncio.DatagramProtocol):
    def __init__(self, server: FakeDns) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._server.answer_shortly(data)
        if answer is not None:
            self._transport.sendto(answer, addr)
