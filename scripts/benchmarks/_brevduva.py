"""Brevduva's turn: senders as in production, a process a core, from "send" to the last 250."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.settings import Settings, read_settings
from config.vocabulary import MessageStatus, ServiceRole
from engine.keys import dkim_record, load_keys
from engine.mailing import sending
from engine.store import message_rows, nodes
from engine.store.database import Database
from engine.store.filters import Filter
from engine.store.mailings import Mailing
from engine.store.migrate import migrate
from scripts.benchmarks._figures import Figures
from scripts.benchmarks._mailing import DOMAINS, write_draft, write_register
from scripts.benchmarks._sink import Sink
from scripts.benchmarks._usage import cpu_seconds, owned_mib, peak_mib
from tests.compose.letters import verifies

_PATIENCE_SECONDS = 300.0
_READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Setting:
    """Where Brevduva works in a turn: its folder, whose names it asks, and which processes keep its database."""

    folder: Path
    dns_port: int
    smtp_port: int
    database_url: str = ""
    database_pids: tuple[int, ...] = ()
    dkim_selectors: str = '["b1"]'
    senders: int = 0

    @property
    def environment(self) -> dict[str, str]:
        return {
            "BREVDUVA_STORAGE__DATA_DIR": str(self.folder),
            "BREVDUVA_STORAGE__DATABASE_URL": self.database_url,
            "BREVDUVA_SANDBOX__DNS_PORT": str(self.dns_port),
            "BREVDUVA_SANDBOX__SMTP_PORT": str(self.smtp_port),
            "BREVDUVA_SENDING__DKIM_SELECTORS": self.dkim_selectors,
        }


async def run_turn(name: str, setting: Setting, sink: Sink, members: int) -> Figures:
    """One mailing, in a database of its own, from senders that have been at work before."""
    os.environ.update(setting.environment)
    settings = read_settings()
    database = Database(settings.storage.url)
    try:
        await migrate(database)
        now = datetime.now(UTC)
        async with database.write() as connection:
            early, draft = [
                await write_draft(connection, await write_register(connection, count, now), now)
                for count in (DOMAINS, members)
            ]
        load_keys(settings)
        async with _running_senders(setting.senders or os.cpu_count() or 1, database) as pids:
            await _measure("one mail to each domain", _Turn(setting, database, sink, early, DOMAINS), pids)
            sink.forget()
            figures = await _measure(name, _Turn(setting, database, sink, draft, members), pids)
        await _check(settings, database, sink, draft.id, members)
        return figures
    finally:
        await database.close()


@dataclass(frozen=True, slots=True)
class _Turn:
    """One draft to be sent to so many members."""

    setting: Setting
    database: Database
    sink: Sink
    draft: Mailing
    members: int


async def _measure(name: str, turn: _Turn, pids: Sequence[int]) -> Figures:
    all_pids, draft, members = [*pids, *turn.setting.database_pids], turn.draft, turn.members
    own_cpu, cpu, sender_cpu, began = time.process_time(), cpu_seconds(all_pids), cpu_seconds(pids), time.monotonic()
    async with turn.database.write() as connection:
        await sending.send(connection, draft.association_id, draft.id, Filter(), datetime.now(UTC))
    own_cpu = time.process_time() - own_cpu
    peaks = [0.0]
    await turn.sink.wait_for(members, _PATIENCE_SECONDS, lambda: peaks.append(owned_mib(all_pids)))
    await _settled(turn.database, draft.id, members)
    return Figures(
        name,
        members,
        turn.sink.tell().last_at - began,
        cpu_seconds(all_pids) - cpu + own_cpu,
        cpu_seconds(pids) - sender_cpu,
        max(peaks),
        max(map(peak_mib, pids)),
    )


@asynccontextmanager
async def _running_senders(count: int, database: Database) -> AsyncIterator[list[int]]:
    """Senders that have met each other, so that every site has its owner."""
    words = [sys.executable, "-m", "engine.outbound"]
    processes = [await asyncio.create_subprocess_exec(*words) for _ in range(count)]
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while len(await _alive(database)) < count:
                await asyncio.sleep(0.1)
        await asyncio.sleep(1.5)  # each looks for the others once a second
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.terminate()
        await asyncio.gather(*(process.wait() for process in processes))


async def _alive(database: Database) -> Sequence[object]:
    async with database.read() as connection:
        return await nodes.alive(connection, ServiceRole.SEND, datetime.min.replace(tzinfo=UTC))


async def _settled(database: Database, mailing_id: int, members: int) -> None:
    """Return once every message is written down as sent."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            async with database.read() as connection:
                if (await message_rows.counts(connection, mailing_id)).get(MessageStatus.SENT) == members:
                    return
            await asyncio.sleep(0.05)


async def _check(settings: Settings, database: Database, sink: Sink, mailing_id: int, members: int) -> None:
    """Nothing was cut: every member got one mail of its own, booked, written down, and signed."""
    told = sink.tell()
    assert told.mails == told.recipients == members, told
    async with database.read() as connection:
        counts = await message_rows.counts(connection, mailing_id)
    assert counts == {MessageStatus.SENT: members}, counts
    home = settings.sending.sender_address.rpartition("@")[2]
    records = {
        f"{selector}._domainkey.{home}.".encode(): dkim_record(key).encode()
        for selector, key in load_keys(settings).dkim
    }
    for sample in told.samples:
        mail = sample.replace(b"\r\n..", b"\r\n.") + b"\r\n"
        assert verifies(mail, records) == [True] * len(records)
