"""`brevduva dns`: the DNS records that receivers look for, as lines of a zone file to copy and paste."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from config.settings import Settings, read_settings
from engine.keys import DkimKey, dkim_record, load_keys
from engine.shell.app import Json, app
from engine.shell.output import say, to_json, write

_LONGEST_STRING = 255
"""Bytes in one string of a TXT record; longer texts are several, read as one (RFC 1035 3.3.14, RFC 7208 3.3)."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `needed` is how what is published must begin, since often more than one value will do."""

    name: str
    type: str
    value: str
    needed: str

    def line(self) -> str:
        """As it stands in a zone file (RFC 1035 5.1)."""
        starts = range(0, len(self.value), _LONGEST_STRING)
        texts = " ".join(f'"{self.value[start : start + _LONGEST_STRING]}"' for start in starts)
        return f"{self.name}. {self.type} {texts if self.type == 'TXT' else self.value}"


@app.command()
def dns(as_json: Json = False) -> None:
    """Print the DNS records to publish, as lines of a zone file; keys that are missing are made."""
    settings = read_settings()
    host = settings.sending.hostname
    if not as_json:
        say(f"; {host} needs an A record, and the PTR record of that address, set by its provider, must be {host}")
    print_records([*wanted_records(settings, load_keys(settings).dkim)], as_json=as_json)


def print_records(records: Sequence[Record], *, as_json: bool = False) -> None:
    """Print lines that can be copied whole, or the same as JSON."""
    if as_json:
        write(to_json([{"name": one.name, "type": one.type, "value": one.value} for one in records]))
        return
    for record in records:
        write(record.line())


def wanted_records(settings: Settings, dkim: Sequence[tuple[str, DkimKey]]) -> Iterator[Record]:
    """All but the address of our name, which only its owner knows, and the PTR record, which the provider sets."""
    sending = settings.sending
    domain, bounces = sending.sender_address.rpartition("@")[2], sending.bounce_domain
    yield Record(bounces, "MX", f"10 {sending.hostname}.", needed=sending.hostname)
    yield Record(bounces, "TXT", f"v=spf1 a:{sending.hostname} -all", needed="v=spf1")
    yield Record(sending.hostname, "TXT", "v=spf1 a -all", needed="v=spf1")
    yield from dkim_records(domain, dkim)
    yield Record(f"_dmarc.{domain}", "TXT", f"v=DMARC1; p=quarantine; rua=mailto:dmarc@{bounces}", needed="v=DMARC1")


def dkim_records(domain: str, dkim: Sequence[tuple[str, DkimKey]]) -> Iterator[Record]:
    for selector, key in dkim:
        value = dkim_record(key)
        yield Record(f"{selector}._domainkey.{domain}", "TXT", value, needed=value)
