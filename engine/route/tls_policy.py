"""What TLS a route must fulfil: DANE where a host publishes it, else MTA-STS where the domain enforces it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from config.vocabulary import EnhancedStatus, Host, Reason, Reply, Route, Tlsa, TlsDemand
from dsn_parser.classify import verdict_of
from engine.clock import Clock
from engine.route.mta_sts import Mode, PolicyFetcher, StsPolicies
from engine.route.mx import Unroutable
from engine.route.resolver import Finding, Resolver
from engine.route.web import WebClient

ENCRYPT = TlsDemand("encrypt")


class TlsPolicies:
    """Asks DNS and policy hosts what the exchangers of a route must prove."""

    def __init__(self, resolver: Resolver, sts: StsPolicies) -> None:
        self._resolver = resolver
        self._sts = sts

    async def secure(self, route: Route) -> Route | Unroutable:
        """The route with each host's demand; hosts that a policy rules out are left out.

        A host whose TLSA records cannot be learnt is left out too: whoever holds the answer back may want plaintext
        (RFC 7672 2.1.2). Where no host remains, the mails wait.
        """
        policy, is_vouched = await asyncio.gather(self._sts.find(route.domain), self._is_vouched(route))
        demand = TlsDemand("mta-sts") if policy.mode is Mode.ENFORCE else TlsDemand()
        allowed = [host for host in route.hosts if policy.mode is not Mode.ENFORCE or policy.allows(host.name)]
        found = await asyncio.gather(*(self._secure_host(host, route.domain, is_vouched, demand) for host in allowed))
        hosts = tuple(host for host in found if host)
        if hosts:
            return replace(route, hosts=hosts)
        words = f"No exchanger of {route.domain} fulfils what its TLS policy asks (MTA-STS or DANE)"
        return Unroutable(Reply(0, EnhancedStatus(4, 7, 5), words), verdict_of(Reason.NETWORK_ERROR, "tls policy"))

    async def _is_vouched(self, route: Route) -> bool:
        """Whether DNSSEC says that these are the domain's exchangers; without, DANE proves nothing (RFC 7672 2.2.1)."""
        mx = await self._resolver.find_mx(route.domain)
        return mx.is_authentic and mx.finding in (Finding.FOUND, Finding.EMPTY)

    async def _secure_host(self, host: Host, domain: str, is_vouched: bool, otherwise: TlsDemand) -> Host | None:
        """The host with its demand, None where it must not be used now."""
        demand: TlsDemand | None = None
        if is_vouched and (await self._resolver.find_addresses(host.name)).is_authentic:
            answer = await self._resolver.find_tlsa(host.name, host.port)
            if answer.finding is Finding.FAILED:
                return None
            if answer.finding is Finding.FOUND and answer.is_authentic:
                demand = _demand_of(answer.records, (host.name, domain))
        return replace(host, tls=demand or otherwise)


def make_policies(resolver: Resolver, clock: Clock, may_dial: Callable[[str], bool]) -> TlsPolicies:
    """The policies of the internet: DNS as `resolver` sees it, policy hosts at addresses that may be dialled."""
    return TlsPolicies(resolver, StsPolicies(resolver, clock, PolicyFetcher(WebClient(resolver, may_dial))))


def _demand_of(records: tuple[Tlsa, ...], names: tuple[str, ...]) -> TlsDemand:
    """DANE where a record can be used; where none can, encryption without proof (RFC 7672 2.2)."""
    usable = tuple(record for record in records if _is_usable(record))
    return TlsDemand("dane", names, usable) if usable else ENCRYPT


def _is_usable(record: Tlsa) -> bool:
    """DANE-TA or DANE-EE over a certificate or its key, whole or as a digest (RFC 7672 3.1)."""
    return record.usage in (2, 3) and record.selector in (0, 1) and record.matching in (0, 1, 2)
