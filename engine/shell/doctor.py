"""`brevduva doctor`: what is wrong with this installation, and the cure, in the order in which it hurts."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from config.settings import Settings
from engine.keys import dkim_record, load_keys
from engine.route.resolver import Resolver
from engine.shell.app import Json, Shell, app, run
from engine.shell.output import show
from engine.store import operations

_LEAST_FREE_BYTES = 1024**3
_QUIET_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; an empty cure means that it is well."""

    name: str
    found: str
    cure: str = ""


@app.command()
def doctor(as_json: Json = False) -> None:
    """Look at configuration, secrets, disk, processes and DNS; exit code 1 where something needs a hand."""
    checks = run(_examine)
    rows = [{"": "ok" if not one.cure else "!", "what": one.name, "found": one.found, "do": one.cure} for one in checks]
    show(rows, as_json=as_json)
    if any(one.cure for one in checks):
        sys.exit(1)


async def _examine(shell: Shell) -> list[Check]:
    checks = [_mode(shell.settings), _disk(shell.settings), *_secrets(shell.settings)]
    checks += [check async for check in _service(shell)]
    if shell.settings.sending.mode == "internet":
        checks += [check async for check in check_names(shell.settings, Resolver(shell.clock))]
    return checks


def _mode(settings: Settings) -> Check:
    if settings.sending.mode == "internet":
        return Check("mode", "internet: mail leaves for real")
    return Check("mode", "sandbox: no packet leaves the machine (see README to send for real)")


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(settings.storage.data_dir).free
    cure = "" if free >= _LEAST_FREE_BYTES else "make room: below 1 GiB returned mail is soon refused"
    return Check("disk", f"{free / 1024**3:.1f} GiB free in {settings.storage.data_dir}", cure)


def _secrets(settings: Settings) -> list[Check]:
    load_keys(settings)
    folder = settings.storage.secrets_dir
    open_files = [path.name for path in folder.iterdir() if path.stat().st_mode & 0o077]
    cure = f"chmod 0600 {folder}/*" if open_files else ""
    return [Check("secrets", ", ".join(open_files) + " can be read by others" if open_files else "closed", cure)]


async def _service(shell: Shell) -> AsyncIterator[Check]:
    async with shell.database.read() as connection:
        nodes, alerts = await operations.nodes(connection), await operations.alerts(connection)
    yield Check("database", shell.database.url.render_as_string(hide_password=True))
    alive = sorted({node.role for node in nodes if shell.clock.now() - node.seen_at < _QUIET_AFTER})
    missing = {"web", "send", "receive"} - set(alive)
    yield Check("processes", ", ".join(alive) or "none", "start them: brevduva serve" if missing else "")
    for alert in alerts:
        yield Check(f"alert {alert.kind}", f"{alert.subject}: {alert.text}", "see the operator's pages, /drift")


async def check_names(settings: Settings, resolver: Resolver) -> AsyncIterator[Check]:
    """What receivers look up before they trust us."""
    sending = settings.sending
    domain = sending.sender_address.rpartition("@")[2]
    addresses = (await resolver.find_addresses(sending.hostname)).records
    yield _check_has("address of our name", sending.hostname, addresses, f"publish an A record for {sending.hostname}")
    for address in addresses:
        names = (await resolver.find_names(address)).records
        cure = "" if sending.hostname in names else f"ask the provider for the PTR record {sending.hostname}"
        yield Check("PTR", f"{address} → {', '.join(names) or 'nothing'}", cure)
    exchangers = [record.host for record in (await resolver.find_mx(sending.bounce_domain)).records]
    yield _check_has("MX for bounces", sending.bounce_domain, exchangers, f"publish MX 10 {sending.hostname}")
    for name, start, record in (
        (sending.bounce_domain, "v=spf1", f"v=spf1 a:{sending.hostname} -all"),
        (f"_dmarc.{domain}", "v=DMARC1", f"v=DMARC1; p=quarantine; rua=mailto:dmarc@{sending.bounce_domain}"),
    ):
        yield await _check_text(resolver, name, start, record)
    for selector, key in load_keys(settings).dkim:
        wanted = dkim_record(key)
        yield await _check_text(resolver, f"{selector}._domainkey.{domain}", wanted, wanted)


def _check_has(name: str, of: str, records: list[str] | tuple[str, ...], cure: str) -> Check:
    return Check(name, f"{of} → {', '.join(records) or 'nothing'}", "" if records else cure)


async def _check_text(resolver: Resolver, name: str, start: str, record: str) -> Check:
    """A TXT record that begins as it must; the cure is the record to copy and paste."""
    texts = (await resolver.find_texts(name)).records
    has_it = any(text.replace(" ", "").startswith(start.replace(" ", "")) for text in texts)
    return Check(f"TXT {name}", "published" if has_it else "not published", "" if has_it else f"publish: {record}")
