"""`brevduva doctor`: what is wrong with this installation, and the cure, in the order in which it hurts."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from config.settings import Settings
from engine.keys import load_keys
from engine.route.resolver import Answer, Finding, Resolver
from engine.shell.app import Json, Shell, app, run
from engine.shell.output import Row, show, to_json, write
from engine.shell.records import Record, print_records, wanted_records
from engine.store import operations

_LEAST_FREE_BYTES = 1024**3
_QUIET_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; an empty cure means that it is well."""

    name: str
    found: str
    cure: str = ""
    record: Record | None = None
    """What to publish, where that is the cure."""


@app.command()
def doctor(as_json: Json = False) -> None:
    """Look at configuration, secrets, disk, processes and DNS; exit code 1 where something needs a hand."""
    checks = run(_examine)
    if as_json:
        write(to_json([{**_row(one), "record": one.record and one.record.line()} for one in checks]))
    else:
        show([_row(one) for one in checks], as_json=False)
        print_records([one.record for one in checks if one.record])
    if any(one.cure for one in checks):
        sys.exit(1)


def _row(check: Check) -> Row:
    state = "!" if check.cure else "ok"
    return {"state": state, "what": check.name, "found": check.found, "do": check.cure}


async def _examine(shell: Shell) -> list[Check]:
    checks = [_mode(shell.settings), _disk(shell.settings), _secrets(shell.settings)]
    checks += [check async for check in _service(shell)]
    if shell.settings.sending.mode == "internet":
        checks += [check async for check in check_names(shell.settings, Resolver(shell.clock))]
    return checks


def _mode(settings: Settings) -> Check:
    if settings.sending.mode == "internet":
        return Check("mode", "internet: mail leaves for real")
    return Check("mode", "sandbox: no packet leaves the machine (INSTALL.md tells how to send for real)")


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(settings.storage.data_dir).free
    cure = "" if free >= _LEAST_FREE_BYTES else "make room: below 1 GiB returned mail is soon refused"
    return Check("disk", f"{free / 1024**3:.1f} GiB free in {settings.storage.data_dir}", cure)


def _secrets(settings: Settings) -> Check:
    load_keys(settings)
    folder = settings.storage.secrets_dir
    is_open = folder.stat().st_mode & 0o077
    cure = f"chmod -R go= {folder}" if is_open else ""
    return Check("secrets", f"{folder} can be read by others" if is_open else "closed to others", cure)


async def _service(shell: Shell) -> AsyncIterator[Check]:
    async with shell.database.read() as connection:
        nodes, alerts = await operations.nodes(connection), await operations.alerts(connection)
    yield Check("database", shell.database.url.render_as_string(hide_password=True))
    alive = sorted({node.role for node in nodes if shell.clock.now() - node.seen_at < _QUIET_AFTER})
    missing = {"web", "send", "receive"} - set(alive)
    yield Check("processes", ", ".join(alive) or "none", "start them: brevduva serve" if missing else "")
    for alert in alerts:
        found = f"{alert.subject}: {alert.text}" if alert.subject else alert.text
        yield Check(f"alert {alert.kind}", found, "see the operator's pages, /drift")


async def check_names(settings: Settings, resolver: Resolver) -> AsyncIterator[Check]:
    """What receivers look up before they trust us."""
    host = settings.sending.hostname
    addresses = await resolver.find_addresses(host)
    cure = "" if addresses.records else _cure(addresses, f"publish an A record for {host}")
    yield Check("address of our name", f"{host} → {_told(addresses)}", cure)
    for address in addresses.records:
        names = await resolver.find_names(address)
        cure = "" if host in names.records else _cure(names, f"ask the provider for the PTR record {host}")
        yield Check("PTR", f"{address} → {_told(names)}", cure)
    for record in wanted_records(settings, load_keys(settings).dkim):
        yield await _check_record(resolver, record)


async def _check_record(resolver: Resolver, record: Record) -> Check:
    """A record that is published as it must be, or is to be copied."""
    name = f"{record.type} {record.name}"
    answer = await _look_up(resolver, record)
    if any(found.replace(" ", "").startswith(record.needed.replace(" ", "")) for found in answer.records):
        return Check(name, "published")
    return Check(name, _told(answer), _cure(answer, "publish the line below"), record)


async def _look_up(resolver: Resolver, record: Record) -> Answer[str]:
    if record.type == "TXT":
        return await resolver.find_texts(record.name)
    answer = await resolver.find_mx(record.name)
    return Answer(answer.finding, tuple(found.host for found in answer.records), words=answer.words)


def _cure(answer: Answer[str], cure: str) -> str:
    return "look at the name servers in /etc/resolv.conf, then ask again" if answer.finding is Finding.FAILED else cure


def _told(answer: Answer[str]) -> str:
    if answer.finding is Finding.FAILED:
        return f"no answer from DNS ({answer.words})"
    return ", ".join(answer.records) or "nothing"
