"""Name servers for real: NSD serves a zone that we sign ourselves, and Unbound asks it and validates."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dns.dnssec
import dns.name
import dns.rdatatype
import dns.rdtypes.ANY.RRSIG
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

from tests.mta.server import running, write

SIGNED, UNSIGNED = "example", "test"
_NSD = "127.0.0.53"
_ZONES = Path("/etc/nsd/zones")
_HEAD = """$TTL 60
@ SOA ns.{zone}. hostmaster.{zone}. 1 3600 600 86400 60
@ NS ns.{zone}.
ns A {server}
"""

_NSD_CONFIGURATION = """
server:
  ip-address: {server}
  username: ""
  zonesdir: "{zones}"
  database: ""
  pidfile: "/run/nsd.pid"
  xfrdfile: "/run/nsd.xfrd"
  zonelistfile: "/run/nsd.zones"
  xfrdir: "/run"
remote-control:
  control-enable: no
zone:
  name: {signed}
  zonefile: {signed}
zone:
  name: {unsigned}
  zonefile: {unsigned}
"""

_UNBOUND_CONFIGURATION = """
server:
  interface: 127.0.0.1
  username: ""
  chroot: ""
  directory: ""
  pidfile: ""
  use-syslog: no
  module-config: "validator iterator"
  do-not-query-localhost: no
  local-zone: "{unsigned}." nodefault
  trust-anchor: "{anchor}"
remote-control:
  control-enable: no
stub-zone:
  name: {signed}
  stub-addr: {server}
stub-zone:
  name: {unsigned}
  stub-addr: {server}
"""

Spoilt = Collection[tuple[str, str]]
"""Name and type of records whose signature shall be wrong."""


@asynccontextmanager
async def running_names(folder: Path, zones: Mapping[str, str], spoilt: Spoilt) -> AsyncIterator[None]:
    """Serve the records of both zones, in master file form, at 127.0.0.1: validated, with the AD bit (RFC 4035)."""
    signed, anchor = _sign(_zone(SIGNED, zones[SIGNED]), spoilt)
    write(_ZONES / SIGNED, signed)
    write(_ZONES / UNSIGNED, _zone(UNSIGNED, zones[UNSIGNED]).to_text())
    values = {"signed": SIGNED, "unsigned": UNSIGNED, "server": _NSD, "zones": _ZONES, "anchor": anchor}
    nsd = write("/etc/nsd/nsd.conf", _NSD_CONFIGURATION.format(**values))
    unbound = write("/etc/unbound/unbound.conf", _UNBOUND_CONFIGURATION.format(**values))
    async with AsyncExitStack() as stack:
        for command, name, address in (
            (["nsd", "-d", "-c", str(nsd)], "nsd", _NSD),
            (["unbound", "-d", "-c", str(unbound)], "unbound", "127.0.0.1"),
        ):
            await stack.enter_async_context(running(command, folder / f"{name}.log", (address, 53)))
        yield


def _zone(name: str, records: str) -> dns.zone.Zone:
    return dns.zone.from_text(_HEAD.format(zone=name, server=_NSD) + records, origin=name, relativize=False)


def _sign(zone: dns.zone.Zone, spoilt: Spoilt) -> tuple[str, str]:
    """The signed zone in master file form, and its trust anchor (a DS record)."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = dns.dnssec.make_dnskey(key.public_key(), "ECDSAP256SHA256", flags=257)
    now = datetime.now(UTC)
    with zone.writer() as writer:
        dns.dnssec.sign_zone(
            zone,
            writer,
            keys=[(key, public)],
            dnskey_ttl=60,
            inception=now - timedelta(days=1),
            expiration=now + timedelta(days=7),
        )
    for name, kind in spoilt:
        _spoil(zone, name, kind)
    anchor = dns.dnssec.make_ds(SIGNED + ".", public, "SHA256")
    return zone.to_text(), f"{SIGNED}. DS {anchor}"


def _spoil(zone: dns.zone.Zone, name: str, kind: str) -> None:
    """Turn one bit in the signature of a set of records, as one who forges them would have to guess it."""
    node = zone[dns.name.from_text(name)]
    signatures = node.find_rdataset(zone.rdclass, dns.rdatatype.RRSIG, dns.rdatatype.from_text(kind))
    [good] = list(signatures)
    assert isinstance(good, dns.rdtypes.ANY.RRSIG.RRSIG)
    signatures.clear()
    signatures.add(good.replace(signature=bytes([good.signature[0] ^ 1]) + good.signature[1:]))
