"""The name server of the box: answers with authority for the names it was given, over UDP and TCP (RFC 1035)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from engine.sandbox.ports import bind_together

LOOPBACK = "127.0.0.1"

_TTL_SECONDS = 300
_PLAIN_UDP_BYTES = 512
_LONGEST_ALIAS_CHAIN = 8


class Manner(Enum):
    """How a name is answered for."""

    ANSWERS = "with its records"
    FAILS = "with SERVFAIL"
    SILENT = "not at all"
    MISSING = "with NXDOMAIN, as if it were not there"


_RCODES = {
    Manner.ANSWERS: dns.rcode.NOERROR,
    Manner.FAILS: dns.rcode.SERVFAIL,
    Manner.MISSING: dns.rcode.NXDOMAIN,
}


@dataclass(frozen=True, slots=True)
class Name:
    """What stands in the zones under one name: texts of records by type, as in `{"MX": ("10 mx1.example.",)}`."""

    records: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    manner: Manner = Manner.ANSWERS


def mail_domain(*exchangers: str) -> Name:
    """A domain whose mail goes to the exchangers, each preferred before the next (RFC 5321 5.1)."""
    return Name({"MX": tuple(f"{10 * place} {host}." for place, host in enumerate(exchangers, start=1))})


def null_mx() -> Name:
    """A domain that takes no mail (RFC 7505)."""
    return Name({"MX": ("0 .",)})


def address(*addresses: str) -> Name:
    """A host with addresses of either kind."""
    four = tuple(text for text in addresses if ":" not in text)
    six = tuple(text for text in addresses if ":" in text)
    return Name({kind: texts for kind, texts in (("A", four), ("AAAA", six)) if texts})


def alias(target: str) -> Name:
    """Another name for a name."""
    return Name({"CNAME": (f"{target}.",)})


class DnsServer:
    """An authoritative server for every name there is: what it was not given does not exist, or is as `otherwise`."""

    def __init__(self, names: Mapping[str, Name], otherwise: Name | None = None) -> None:
        self._names = {dns.name.from_text(text): name for text, name in names.items()}
        self._otherwise = otherwise
        self.asked: dict[tuple[str, str], int] = {}

    def place(self, text: str, name: Name) -> None:
        """Put a name in the zones, or change it."""
        self._names[dns.name.from_text(text)] = name

    async def start(self, port: int = 0) -> int:
        """Listen on loopback and return the port, one for UDP and TCP; 0: the system chooses."""
        return await bind_together(lambda: self._bind(port))

    async def _bind(self, port: int) -> int:
        server = await asyncio.start_server(self._talk, LOOPBACK, port)
        port = server.sockets[0].getsockname()[1]
        try:
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (LOOPBACK, port))
        except OSError:
            server.close()
            raise
        self._server, self._transport = server, transport
        return port

    async def stop(self) -> None:
        self._transport.close()
        self._server.close()
        await self._server.wait_closed()

    def answer(self, question: bytes, limit_bytes: int | None = None) -> bytes | None:
        """Answer one question; None is silence. An answer over the limit says "ask over TCP" (RFC 2181 9)."""
        try:
            query = dns.message.from_wire(question)
        except dns.exception.DNSException:
            return None
        response = self._respond(query)
        if response is None:
            return None
        wire = response.to_wire()
        if limit_bytes is None or len(wire) <= max(limit_bytes, query.payload):
            return wire
        response.answer.clear()
        response.flags |= dns.flags.TC
        return response.to_wire()

    def _respond(self, query: dns.message.Message) -> dns.message.Message | None:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        if not query.question:
            response.set_rcode(dns.rcode.FORMERR)
            return response
        name, kind = query.question[0].name, query.question[0].rdtype
        self._count(name, kind)
        manner = self._manner(name)
        if manner is Manner.SILENT:
            return None
        response.set_rcode(_RCODES[manner])
        response.answer.extend(self._find(name, kind))
        return response

    def _count(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> None:
        key = (name.to_text(omit_final_dot=True), kind.name)
        self.asked[key] = self.asked.get(key, 0) + 1

    def _manner(self, name: dns.name.Name) -> Manner:
        """A name above a known one exists too, only empty (RFC 8020)."""
        known = self._names.get(name, self._otherwise)
        if known:
            return known.manner
        return Manner.ANSWERS if any(other.is_subdomain(name) for other in self._names) else Manner.MISSING

    def _find(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> Iterator[dns.rrset.RRset]:
        """The records asked for, with the aliases on the way (RFC 1034 3.6.2)."""
        for _ in range(_LONGEST_ALIAS_CHAIN):
            known = self._names.get(name, self._otherwise)
            if known is None:
                return
            if texts := known.records.get(kind.name):
                yield dns.rrset.from_text(name, _TTL_SECONDS, "IN", kind, *texts)
                return
            target = known.records.get("CNAME")
            if not target:
                return
            yield dns.rrset.from_text(name, _TTL_SECONDS, "IN", "CNAME", *target)
            name = dns.name.from_text(target[0])

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client over TCP: each message after its length (RFC 1035 4.2.2)."""
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(2))
                wire = self.answer(await reader.readexactly(length))
                if wire is not None:
                    writer.write(len(wire).to_bytes(2) + wire)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        wire = self._server.answer(data, _PLAIN_UDP_BYTES)
        if wire is not None:
            self._transport.sendto(wire, addr)
