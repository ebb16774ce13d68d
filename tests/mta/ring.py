"""The ring of real servers: our mailing goes out to them over port 25, and their own reports come back to our listener.

Run on an island (`tests/mta/island.py`) as `python -m tests.mta.ring FOLDER`; what it found is its result there.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.settings import Settings, read_settings
from engine.inbound import Inbound
from engine.keys import Keys, dkim_record, load_keys
from engine.outbound import Outbound
from engine.sandbox.dns import DnsServer, Name, address, mail_domain, null_mx
from engine.store.database import Database
from engine.store.migrate import migrate
from tests.compose.letters import verifies
from tests.mta.fates import CLOSED, SILENT, SLOW
from tests.mta.island import give_result, settle
from tests.mta.server import Place
from tests.mta.state import SERVERS, State, read_state
from tests.store.association import make_association, messages_of, queue_mailing

OURS = "127.0.26.1"
HOSTNAME = "mail.brevduva.example"
SENDER_DOMAIN = "brevduva.example"
BOUNCE_DOMAIN = "retur.brevduva.example"
_NOBODY_THERE = "127.0.26.9"
_LOOK_AGAIN_SECONDS = 0.1
_FIRST_HOURS_SECONDS = 20.0
_LAST_TRY_SECONDS = 20.0
_SIX_DAYS = timedelta(days=6, hours=1)


class LeapingClock:
    """Real time, from which one leaps days ahead: servers beside us live in real time."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def leap(self, time: timedelta) -> None:
        self._ahead += time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Ring:
    """Both journeys over one store, with real servers around them."""

    clock: LeapingClock
    database: Database
    inbound: Inbound
    outbound: Outbound
    mailing_id: int

    async def run_until(self, is_done: Callable[[State], bool], seconds: float) -> list[State]:
        """Send and take in until every message is where it should be, or the time is over; returns all states."""
        end = time.monotonic() + seconds
        while True:
            await self.outbound.run_until_idle()
            await self.inbound.run_until_idle()
            states = await self._read()
            if all(map(is_done, states)) or time.monotonic() > end:
                return states
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _read(self) -> list[State]:
        async with self.database.read() as connection:
            messages = await messages_of(connection, self.mailing_id)
            return [await read_state(connection, message) for message in messages]


async def _play(folder: Path, places: list[Place]) -> dict[str, object]:
    began = time.monotonic()
    async with _open_ring(folder, places) as (ring, keys):
        first = await ring.run_until(State.is_as_meant, _FIRST_HOURS_SECONDS)
        arrived = {place.domain: place.mails("astrid") for place in places}
        ring.clock.leap(_SIX_DAYS)
        last = await ring.run_until(State.has_ended_as_meant, _LAST_TRY_SECONDS)
    published = {f"{name}.".encode(): record.encode() for name, record in _dkim_records(keys).items()}
    return {
        "first": [asdict(state) for state in first],
        "last": [asdict(state) for state in last],
        "verified": {domain: [verifies(mail, published) for mail in mails] for domain, mails in arrived.items()},
        "opendkim": [line.decode() for mail in arrived["postfix.example"] for line in mail.split() if b"dkim=" in line],
        "opensmtpd": _version_of_opensmtpd(places),
        "seconds": round(time.monotonic() - began, 1),
    }


@asynccontextmanager
async def _open_ring(folder: Path, places: list[Place]) -> AsyncIterator[tuple[Ring, Keys]]:
    """Everything started, and a mailing to every member in the queue."""
    async with AsyncExitStack() as stack:
        ours = Place(SENDER_DOMAIN, HOSTNAME, OURS, folder)
        ours.write_certificate()
        settings, clock = _settings(folder, ours.certificate), LeapingClock()
        keys = load_keys(settings)
        dns = DnsServer(_zone(places, keys))
        await dns.start(53)
        stack.push_async_callback(dns.stop)
        for place, neighbour in zip(places, [*places[1:], places[0]], strict=True):
            run = SERVERS[place.domain].run
            await stack.enter_async_context(run(place, f"unknown@{neighbour.domain}"))
        database = Database(settings.storage.url)
        stack.push_async_callback(database.close)
        await migrate(database)
        inbound, outbound = Inbound(settings, database, clock, keys), Outbound(settings, database, clock, keys)
        await inbound.start()
        stack.push_async_callback(inbound.close)
        stack.push_async_callback(outbound.close)
        yield Ring(clock, database, inbound, outbound, await _queue(database, clock.now())), keys


async def _queue(database: Database, now: datetime) -> int:
    emails = [f"{mailbox}@{domain}" for domain, server in SERVERS.items() for mailbox in server.fates]
    async with database.write() as connection:
        return await queue_mailing(connection, await make_association(connection, emails, now), now)


def _version_of_opensmtpd(places: list[Place]) -> str:
    log = next(place.log for place in places if place.domain == "opensmtpd.example")
    return log.read_text().partition("OpenSMTPD ")[2].split()[0]


def _settings(folder: Path, certificate: Path) -> Settings:
    return read_settings(
        sending={
            "mode": "sandbox",
            "hostname": HOSTNAME,
            "sender_address": f"utskick@{SENDER_DOMAIN}",
            "bounce_domain": BOUNCE_DOMAIN,
            "source_addresses": [OURS],
            "dkim_selectors": ["b1", "b1-ed"],
        },
        receiving={"host": OURS, "port": 25, "tls_certificate": str(certificate), "tls_key": str(certificate)},
        storage={"data_dir": folder / "data", "database_url": ""},
        web={"base_url": "https://post.brevduva.example"},
        sandbox={"dns_port": 53, "smtp_port": 25},
    )


def _zone(places: list[Place], keys: Keys) -> dict[str, Name]:
    """The whole DNS of the island."""
    return {
        **{place.domain: mail_domain(place.host) for place in places},
        **{place.host: address(place.address) for place in places},
        **{_reverse(place.address): Name({"PTR": (f"{place.host}.",)}) for place in places},
        _reverse(OURS): Name({"PTR": (f"{HOSTNAME}.",)}),
        HOSTNAME: address(OURS),
        BOUNCE_DOMAIN: mail_domain(HOSTNAME),
        SENDER_DOMAIN: mail_domain(HOSTNAME),
        **{name: Name({"TXT": (_quote(record),)}) for name, record in _dkim_records(keys).items()},
        CLOSED: null_mx(),
        SILENT: mail_domain(f"mx.{SILENT}"),
        f"mx.{SILENT}": address(_NOBODY_THERE),
        SLOW: mail_domain(f"mx.{SLOW}"),
        f"mx.{SLOW}": address(_NOBODY_THERE),
    }


def _dkim_records(keys: Keys) -> dict[str, str]:
    return {f"{selector}._domainkey.{SENDER_DOMAIN}": dkim_record(key) for selector, key in keys.dkim}


def _reverse(ip: str) -> str:
    return ".".join([*reversed(ip.split(".")), "in-addr", "arpa"])


def _quote(text: str) -> str:
    """A TXT record's strings, of at most 255 octets each (RFC 1035 3.3)."""
    return " ".join(f'"{text[start : start + 255]}"' for start in range(0, len(text), 255))


def main() -> None:
    folder = Path(sys.argv[1])
    places = [
        Place(domain, f"mx.{domain}", f"127.0.26.{number}", folder) for number, domain in enumerate(SERVERS, start=2)
    ]
    users = [user for server in SERVERS.values() for user in server.users]
    settle(folder, users, [place.address for place in places])
    give_result(folder, asyncio.run(_play(folder, places)))


if __name__ == "__main__":
    main()
