"""Where mail for a domain goes: its mail exchangers in the order to try, or why there are none (RFC 5321 5.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import SystemRandom

from config.vocabulary import Action, EnhancedStatus, Fault, Host, Reason, Reply, Route, Verdict, VerdictStatus
from dsn_parser.classify import verdict_of
from engine.route.resolver import Answer, Finding, MxRecord, Resolver
from engine.route.site import find_site

MOST_HOSTS = 10
"""Of a domain with more exchangers than this, the best ones are tried."""
SMTP_PORT = 25
_dice = SystemRandom()


@dataclass(frozen=True, slots=True)
class Unroutable:
    """No way to a domain: what DNS said, in the form of a reply, and what it means for every mail to it."""

    reply: Reply
    verdict: Verdict


async def find_route(resolver: Resolver, domain: str, *, port: int = SMTP_PORT) -> Route | Unroutable:
    """Find the hosts of a domain: by MX, else its own address; equal preference in random order.

    A domain that does not exist or says it takes no mail (RFC 7505) is final; whatever DNS could not tell is deferred.
    """
    mx = await resolver.find_mx(domain)
    match mx.finding:
        case Finding.FAILED:
            return _later(f"DNS did not tell the mail exchangers of {domain}: {mx.words}")
        case Finding.MISSING:
            words = f"The domain {domain} does not exist: {mx.words}"
            return _never(Reason.HOST_UNKNOWN, EnhancedStatus(5, 1, 2), words)
        case Finding.EMPTY:
            return await _route_to_itself(resolver, domain, port)
    records = [record for record in mx.records if record.host]
    if not records:
        return _never(Reason.NULL_MX, EnhancedStatus(5, 1, 10), f"The domain {domain} takes no mail (null MX)")
    return await _route_to(resolver, domain, _in_order(records), port)


def _in_order(records: Sequence[MxRecord]) -> list[MxRecord]:
    """Best preference first, equal ones shuffled (RFC 5321 5.1), no more than are worth trying."""
    return sorted(records, key=lambda record: (record.preference, _dice.random()))[:MOST_HOSTS]


async def _route_to_itself(resolver: Resolver, domain: str, port: int) -> Route | Unroutable:
    """A domain without MX is its own exchanger (RFC 5321 5.1)."""
    answer = await resolver.find_addresses(domain)
    if answer.finding is Finding.FAILED:
        return _later(f"DNS did not tell the addresses of {domain}: {answer.words}")
    if not answer.records:
        words = f"The domain {domain} has neither mail exchanger nor address"
        return _never(Reason.HOST_UNKNOWN, EnhancedStatus(5, 1, 2), words)
    return Route(domain, find_site([domain]), (Host(domain, answer.records, port),))


async def _route_to(resolver: Resolver, domain: str, records: Sequence[MxRecord], port: int) -> Route | Unroutable:
    answers = await asyncio.gather(*(resolver.find_addresses(record.host) for record in records))
    hosts = tuple(
        Host(record.host, answer.records, port)
        for record, answer in zip(records, answers, strict=True)
        if answer.records
    )
    if not hosts:
        return _no_addresses(domain, records, answers)
    best = min(record.preference for record in records)
    return Route(domain, find_site([record.host for record in records if record.preference == best]), hosts)


def _no_addresses(domain: str, records: Sequence[MxRecord], answers: Sequence[Answer[str]]) -> Unroutable:
    """The domain wants mail, but none of its hosts can be found: most likely a mistake that will be mended."""
    names = ", ".join(record.host for record in records[:3])
    words = next((answer.words for answer in answers if answer.finding is Finding.FAILED), "")
    if words:
        return _later(f"DNS did not tell the addresses of {names}: {words}")
    reply = Reply(0, EnhancedStatus(4, 4, 4), f"No mail exchanger of {domain} has an address ({names})")
    return Unroutable(reply, verdict_of(Reason.NETWORK_ERROR, "dns"))


def _never(reason: Reason, enhanced: EnhancedStatus, words: str) -> Unroutable:
    return Unroutable(Reply(0, enhanced, words), verdict_of(reason, "dns"))


def _later(words: str) -> Unroutable:
    verdict = Verdict(VerdictStatus.DEFERRED, Reason.NETWORK_ERROR, Fault.DELAY, Action.NONE, "dns")
    return Unroutable(Reply(0, EnhancedStatus(4, 4, 3), words), verdict)
