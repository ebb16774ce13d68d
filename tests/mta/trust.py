"""The second ring: domains demand TLS by MTA-STS or DANE, in good order and in every bad one.

NSD serves a zone signed for the occasion, Unbound validates it, one Postfix plays all the hosts with certificates of
their own, and the sender runs as on the internet. Two things differ: the guard lets it dial loopback, for there is
nothing else on the island, and the system's store of authorities is the test's. `python -m tests.mta.trust FOLDER`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from email import message_from_bytes
from email.message import Message as EmailMessage
from pathlib import Path
from unittest.mock import patch

from config.settings import Settings, read_settings
from config.vocabulary import EventKind, MessageStatus
from engine import gateway
from engine.clock import SystemClock
from engine.keys import load_keys
from engine.outbound import Outbound
from engine.route.guard import may_dial_sandbox
from engine.store.database import Connection, Database
from engine.store.message_rows import Message, events_of
from engine.store.migrate import migrate
from tests.mta.demands import CASES
from tests.mta.hosts import FORGER, POLICY_HOST, Authorities, Host, policy_of
from tests.mta.island import give_result, settle
from tests.mta.master import USERS, running_master
from tests.mta.names import SIGNED, UNSIGNED, running_names
from tests.mta.policies import serving_policies
from tests.mta.server import MAIL, make_folder
from tests.store.association import card_status, make_association, messages_of, queue_mailing

_MAILBOX = MAIL / "astrid"
_ARRIVAL_SECONDS = 10.0

_SETTINGS = """
myhostname = mx.island.test
mydestination = {domains}
inet_interfaces = {addresses}
smtpd_tls_received_header = yes
alias_maps = inline:{{ astrid={mailbox}/ }}
smtpd_recipient_restrictions = reject_unauth_destination
"""


@asynccontextmanager
async def _servers(folder: Path, hosts: list[Host], authorities: Authorities) -> AsyncIterator[None]:
    zones: dict[str, list[str]] = {SIGNED: [], UNSIGNED: []}
    for host in hosts:
        zones[SIGNED if host.case.is_signed else UNSIGNED].extend(host.records())
    async with AsyncExitStack() as stack:
        records = {zone: "\n".join(lines) + "\n" for zone, lines in zones.items()}
        spoilt = [record for host in hosts for record in host.spoilt()]
        await stack.enter_async_context(running_names(folder, records, spoilt))
        for address, authority, is_vouched in (
            (POLICY_HOST, authorities.trusted, True),
            (FORGER, authorities.stranger, False),
        ):
            published = {case.domain: policy_of(case) for case in CASES if case.sts and case.vouched is is_vouched}
            await stack.enter_async_context(serving_policies(address, authority, published))
        settings = _SETTINGS.format(
            domains=", ".join(host.case.domain for host in hosts),
            addresses=", ".join(host.address for host in hosts),
            mailbox=_MAILBOX,
        )
        doors = "\n".join(host.door() for host in hosts)
        await stack.enter_async_context(running_master(folder / "postfix.log", settings, doors, hosts[0].address))
        yield


async def _play(folder: Path, hosts: list[Host], authorities: Authorities) -> dict[str, object]:
    began, settings = time.monotonic(), _settings(folder)
    settings.storage.data_dir.mkdir()
    database = Database(settings.storage.url)
    await migrate(database)
    async with _servers(folder, hosts, authorities):
        with patch.object(gateway, "guard_for", lambda mode: may_dial_sandbox):
            outcomes = await _send(settings, database)
        arrived = await _arrived(sum(outcome["status"] == MessageStatus.SENT for outcome in outcomes.values()))
    await database.close()
    return {"outcomes": outcomes, "arrived": arrived, "seconds": round(time.monotonic() - began, 1)}


async def _send(settings: Settings, database: Database) -> dict[str, dict[str, str]]:
    clock = SystemClock()
    async with database.write() as connection:
        emails = [f"astrid@{case.domain}" for case in CASES]
        mailing_id = await queue_mailing(
            connection, await make_association(connection, emails, clock.now()), clock.now()
        )
    outbound = Outbound(settings, database, clock, load_keys(settings))
    await outbound.run_until_idle()
    await outbound.close()
    async with database.read() as connection:
        return dict([await _outcome(connection, message) for message in await messages_of(connection, mailing_id)])


async def _outcome(connection: Connection, message: Message) -> tuple[str, dict[str, str]]:
    """What our own history says became of the mail to a domain."""
    events = await events_of(connection, message.message_id)
    tls = [event.tls for event in events if event.kind is EventKind.ATTEMPT]
    return message.domain, {
        "status": message.status,
        "tls": tls[-1] if tls else "",
        "words": events[-1].text,
        "card": await card_status(connection, message.card_id),
    }


async def _arrived(count: int) -> dict[str, str]:
    """Of each domain that a mail arrived for, how the server says it came; waits until so many are there."""
    async with asyncio.timeout(_ARRIVAL_SECONDS):
        files: list[Path] = []
        while len(files) < count:
            await asyncio.sleep(0.05)
            files = list(_MAILBOX.glob("new/*"))
    mails = [message_from_bytes(file.read_bytes()) for file in files]
    return {_domain_of(mail): "tls" if "(using TLS" in mail["Received"] else "plain" for mail in mails}


def _domain_of(mail: EmailMessage) -> str:
    return mail["To"].rpartition("@")[2].rstrip(">")


def _settings(folder: Path) -> Settings:
    return read_settings(
        sending={
            "mode": "internet",
            "hostname": "mail.example.org",
            "sender_address": "utskick@example.org",
            "bounce_domain": "retur.example.org",
        },
        web={"base_url": "https://post.example.org"},
        storage={"data_dir": folder / "data", "database_url": ""},
    )


def main() -> None:
    folder = Path(sys.argv[1])
    authorities = Authorities()
    hosts = [Host(case, f"127.0.27.{number}", authorities.issue(case)) for number, case in enumerate(CASES, start=1)]
    settle(folder, USERS, [host.address for host in hosts])
    os.environ["SSL_CERT_FILE"] = str(folder / "authorities.pem")
    authorities.trusted.cert_pem.write_to_path(os.environ["SSL_CERT_FILE"])
    make_folder(MAIL, "nobody", "nogroup")
    give_result(folder, asyncio.run(_play(folder, hosts, authorities)))


if __name__ == "__main__":
    main()
