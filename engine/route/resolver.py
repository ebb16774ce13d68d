"""Asks DNS, remembers the answers for as long as they say, and never raises; the only file that speaks to dnspython."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from typing import Generic, TypeVar

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.name
import dns.rdata
import dns.rdtypes.ANY.MX
import dns.rdtypes.ANY.TLSA
import dns.rdtypes.ANY.TXT
import dns.resolver
import dns.reversename

from config.vocabulary import Tlsa
from engine.clock import Clock

TOTAL_SECONDS = 20.0
"""How long one question may take, over all name servers and tries."""
MOST_REMEMBERED = 50_000
_SHORTEST, _LONGEST = 30, 6 * 3600
_NOTHING_THERE, _NO_ANSWER = 300, 15
_EDNS_OCTETS = 1232

Record = TypeVar("Record")


class Finding(StrEnum):
    """What came of a question."""

    FOUND = "found"
    EMPTY = "empty"  # the name exists and has nothing of this type
    MISSING = "missing"  # the name does not exist (NXDOMAIN)
    FAILED = "failed"  # SERVFAIL, silence or nonsense: to be asked again later


@dataclass(frozen=True, slots=True)
class Answer(Generic[Record]):
    """The records found, and whether a trusted resolver has validated them (the AD bit, RFC 4035 3.2.3)."""

    finding: Finding
    records: tuple[Record, ...] = ()
    is_authentic: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True)
class MxRecord:
    """One MX record (RFC 5321 5.1): the host in lower case without its final dot, "" in a null MX (RFC 7505)."""

    preference: int
    host: str


class Resolver:
    """Questions to the system's name servers, or to those given.

    The AD bit counts only from name servers on this machine: elsewhere it could be forged on the way (RFC 7672 2.2).
    """

    def __init__(
        self,
        clock: Clock,
        *,
        nameservers: Sequence[str] = (),
        port: int = 53,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._clock = clock
        self._inner = dns.asyncresolver.Resolver(configure=not nameservers)
        if nameservers:
            self._inner.nameservers = list(nameservers)
            self._inner.port = port
        self._inner.lifetime = total_seconds
        self._inner.timeout = total_seconds / 4
        self._inner.use_edns(0, 0, _EDNS_OCTETS)
        self._inner.flags = dns.flags.RD | dns.flags.AD
        self._is_trusted = all(ip_address(str(server)).is_loopback for server in self._inner.nameservers)
        self._known: dict[tuple[str, str], tuple[datetime, Answer[dns.rdata.Rdata]]] = {}

    async def find_mx(self, domain: str) -> Answer[MxRecord]:
        return await self._find(domain, "MX", _read_mx)

    async def find_addresses(self, host: str) -> Answer[str]:
        """IPv4 before IPv6: small senders rarely have a name on their IPv6 address, and receivers ask for it."""
        four = await self._find(host, "A", str)
        six = await self._find(host, "AAAA", str)
        records = four.records + six.records
        if records:
            return Answer(Finding.FOUND, records, all(part.is_authentic for part in (four, six) if part.records))
        return six if four.finding in (Finding.EMPTY, Finding.MISSING) else four

    async def find_texts(self, name: str) -> Answer[str]:
        """TXT records, the strings of each joined (RFC 7208 3.3)."""
        return await self._find(name, "TXT", _read_text)

    async def find_names(self, address: str) -> Answer[str]:
        """The names an address points back to (PTR, RFC 1035 3.5), in lower case without their final dot."""
        pointer = dns.reversename.from_address(address).to_text(omit_final_dot=True)
        return await self._find(pointer, "PTR", lambda record: record.to_text().rstrip(".").lower())

    async def find_tlsa(self, host: str, port: int = 25) -> Answer[Tlsa]:
        return await self._find(f"_{port}._tcp.{host}", "TLSA", _read_tlsa)

    async def _find(self, name: str, kind: str, read: Callable[[dns.rdata.Rdata], Record]) -> Answer[Record]:
        answer = await self._ask(name.lower().rstrip("."), kind)
        records = tuple(read(record) for record in answer.records)
        return Answer(answer.finding, records, answer.is_authentic, answer.words)

    async def _ask(self, name: str, kind: str) -> Answer[dns.rdata.Rdata]:
        now = self._clock.now()
        known = self._known.get((name, kind))
        if known and known[0] > now:
            return known[1]
        answer, seconds = await self._resolve(name, kind)
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[(name, kind)] = now + timedelta(seconds=seconds), answer
        return answer

    async def _resolve(self, name: str, kind: str) -> tuple[Answer[dns.rdata.Rdata], int]:
        """The answer and for how many seconds it holds."""
        try:
            question = dns.name.from_text(name, idna_codec=dns.name.IDNA_2008_UTS_46)
        except (dns.exception.DNSException, UnicodeError) as error:
            return Answer(Finding.MISSING, words=f"no domain name: {error}"), _NOTHING_THERE
        try:
            found = await self._inner.resolve(question, kind, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN:
            return Answer(Finding.MISSING, words="NXDOMAIN"), _NOTHING_THERE
        except (dns.exception.DNSException, OSError) as error:
            return Answer(Finding.FAILED, words=_describe(error)), _NO_ANSWER
        if found.rrset is None:
            return Answer(Finding.EMPTY, is_authentic=self._vouches(found)), _NOTHING_THERE
        seconds = min(max(found.chaining_result.minimum_ttl, _SHORTEST), _LONGEST)
        return Answer(Finding.FOUND, tuple(found.rrset), self._vouches(found)), seconds

    def _vouches(self, found: dns.resolver.Answer) -> bool:
        return self._is_trusted and bool(found.response.flags & dns.flags.AD)


def _read_mx(record: dns.rdata.Rdata) -> MxRecord:
    assert isinstance(record, dns.rdtypes.ANY.MX.MX)
    return MxRecord(record.preference, record.exchange.to_text(omit_final_dot=True).lower().removesuffix("."))


def _read_text(record: dns.rdata.Rdata) -> str:
    assert isinstance(record, dns.rdtypes.ANY.TXT.TXT)
    return b"".join(record.strings).decode("utf-8", "replace")


def _read_tlsa(record: dns.rdata.Rdata) -> Tlsa:
    assert isinstance(record, dns.rdtypes.ANY.TLSA.TLSA)
    return Tlsa(record.usage, record.selector, record.mtype, record.cert)


def _describe(error: Exception) -> str:
    """The kind of failure; dnspython's own words name every server and try."""
    if isinstance(error, dns.exception.Timeout):
        return "no answer in time"
    return "SERVFAIL" if "SERVFAIL" in str(error) else type(error).__name__
