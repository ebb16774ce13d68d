"""The map of the box: who runs which mail exchangers for which domains, all under names reserved by RFC 2606."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from engine.sandbox.dns import Manner, Name, address, alias, mail_domain, null_mx
from engine.sandbox.smtp_dialogue import EXTENSIONS, Exchanger

_FIRST_ADDRESS = 10
_OLD_FASHIONED = ("SIZE 10485760", "8BITMIME")


@dataclass(frozen=True, slots=True)
class Ration:
    """How many mails a site takes from us in how long."""

    mails: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Site:
    """One operator: its domains, and its exchangers in order of preference."""

    domains: tuple[str, ...]
    hosts: tuple[Exchanger, ...]
    has_mx_records: bool = True
    ration: Ration | None = None
    falls_silent: bool = False  # once everyone has turned, connections are taken and never greeted

    @property
    def name(self) -> str:
        return self.domains[0]


class _Addresses:
    """Hands out loopback addresses, each once."""

    def __init__(self) -> None:
        self._next = _FIRST_ADDRESS

    def take(self) -> str:
        self._next += 1
        return f"127.0.0.{self._next - 1}"


def _host(name: str, *, tls: bool = False, up: bool = True, extensions: tuple[str, ...] = EXTENSIONS) -> Exchanger:
    return Exchanger(name, _addresses.take(), extensions, offers_tls=tls, is_up=up)


_addresses = _Addresses()

NORRPOST = Site(
    ("norrpost.example", "nordbrev.example", "norrpost.test"),
    (_host("mx1.norrpost.example", tls=True), _host("mx2.norrpost.example", tls=True)),
)
SKARGARDSNAT = Site(
    ("skargardsnat.example", "abonet.example"),
    (_host("mx1.skargardsnat.example", up=False), _host("mx2.skargardsnat.example")),
)
HEMDATOR = Site(("hemdator.example",), (_host("hemdator.example"),), has_mx_records=False)
KOMMUNPOST = Site(("kommunpost.example",), (_host("post.kommunpost.example", extensions=_OLD_FASHIONED),))
RELAPOST = Site(("relapost.example", "relapost.test"), (_host("in.relapost.example"),))
STORPOST = Site(
    ("storpost.example", "storpost.test"),
    (_host("mx.storpost.example", tls=True),),
    ration=Ration(20, timedelta(minutes=10)),
)
MURPOST = Site(("murpost.example", "murpost.test"), (_host("vakt.murpost.example"),))
TYSTPOST = Site(("tystpost.example",), (_host("mx.tystpost.example"),), falls_silent=True)
TAPPNAT = Site(("tappnat.example",), (_host("mx.tappnat.example"),))

SITES = (NORRPOST, SKARGARDSNAT, HEMDATOR, KOMMUNPOST, RELAPOST, STORPOST, MURPOST, TYSTPOST, TAPPNAT)

ALIAS = "foreningspost.example"
"""A domain that is another name for one of Norrpost's."""

NULL_MX = "nollpost.example"
FAILING_DNS = "trasignamn.example"
NO_SUCH_DOMAIN = "finnsinte.example"
MISTYPED_DOMAIN = "hotnail.com"

ORDINARY_DOMAINS = (*NORRPOST.domains, *SKARGARDSNAT.domains, *HEMDATOR.domains, ALIAS)


def site_of_domain() -> dict[str, Site]:
    """Every domain that takes mail, with its site."""
    return {domain: site for site in SITES for domain in site.domains} | {ALIAS: NORRPOST}


def all_hosts() -> tuple[Exchanger, ...]:
    return tuple(host for site in SITES for host in site.hosts)


def zones() -> dict[str, Name]:
    """What the name server of the box knows."""
    hosts = {host.name: address(host.address) for host in all_hosts()}
    domains = {
        domain: mail_domain(*(host.name for host in site.hosts))
        for site in SITES
        if site.has_mx_records
        for domain in site.domains
    }
    odd = {ALIAS: alias(NORRPOST.name), NULL_MX: null_mx(), FAILING_DNS: Name(manner=Manner.FAILS)}
    missing = dict.fromkeys((NO_SUCH_DOMAIN, MISTYPED_DOMAIN), Name(manner=Manner.MISSING))
    return {**hosts, **domains, **odd, **missing}
