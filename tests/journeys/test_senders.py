"""Several senders share the work: limits hold across all of them, and who dies or hangs is replaced."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic, time

import pytest

from config.settings import read_settings
from config.vocabulary import MessageStatus, ServiceRole
from engine.clock import SystemClock
from engine.sandbox.letters import field_of
from engine.sandbox.receiver_log import read_receipts
from engine.store import nodes
from engine.store.database import Database
from engine.supervisor import Child, supervise
from engine.wiring import DEAD_AFTER
from tests.fakes.mx import FakeMx
from tests.journeys.conftest import Tell
from tests.journeys.processes import freeze_inside_a_transaction, kill, run_role
from tests.journeys.town import Town, history, messages, open_town, queue_post, wait_for, wait_for_all

SITES = 4
MEMBERS = 2000
PATIENCE_SECONDS = 120
"""Processes start when the machine gets round to it."""
LIMIT = 10
"""The connections of a site that nobody has given other limits."""


def _environment(town: Town, folder: Path, database_url: str) -> dict[str, str]:
    return {
        "BREVDUVA_STORAGE__DATA_DIR": str(folder),
        "BREVDUVA_STORAGE__DATABASE_URL": database_url,
        "BREVDUVA_SANDBOX__DNS_PORT": str(town.dns.port),
        "BREVDUVA_SANDBOX__SMTP_PORT": str(town.smtp_port),
    }


class _Watch:
    """Looks at the receivers again and again: their connections at once, and how long mail stopped at each."""

    def __init__(self, receivers: Mapping[str, FakeMx]) -> None:
        self._receivers = receivers
        self._seen = dict.fromkeys(receivers, (0, monotonic()))
        self.seconds_above = 0.0
        self.longest_stop = 0.0

    async def look(self) -> None:
        before = monotonic()
        while True:
            await asyncio.sleep(0.02)
            now = monotonic()
            if any(receiver.connections_now > LIMIT for receiver in self._receivers.values()):
                self.seconds_above += now - before
            before = now
            for domain, receiver in self._receivers.items():
                mails, since = self._seen[domain]
                if len(receiver.mails) != mails:
                    self._seen[domain] = len(receiver.mails), now
                    self.longest_stop = max(self.longest_stop, now - since if mails else 0)


@asynccontextmanager
async def _watching(receivers: Mapping[str, FakeMx]) -> AsyncIterator[_Watch]:
    watch = _Watch(receivers)
    task = asyncio.create_task(watch.look())
    try:
        yield watch
    finally:
        task.cancel()


async def _wait_for_nodes(database: Database, count: int) -> list[int]:
    """The processes of the senders, once there are so many."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with database.read() as connection:
                recently = SystemClock().now() - DEAD_AFTER
                pids = [node.pid for node in await nodes.alive(connection, ServiceRole.SEND, recently)]
            if len(pids) == count:
                return pids
            await asyncio.sleep(0.1)


async def _nodes_as_printed(environment: Mapping[str, str]) -> list[dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "engine", "nodes", "--json",
        env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    printed: list[dict[str, str]] = json.loads(output)
    return printed


@pytest.mark.slow
async def test_limits_hold_across_senders_and_the_sites_of_a_dead_one_are_taken_over(
    database: Database, database_url: str, tmp_path: Path, tell: Tell
) -> None:
    receivers = {f"ort{number}.example": FakeMx(delay_seconds=0.05) for number in range(SITES)}
    async with open_town(receivers) as town:
        emails = [f"m{n}@ort{n % SITES}.example" for n in range(MEMBERS)]
        post = await queue_post(database, emails, SystemClock().now())
        environment = _environment(town, tmp_path, database_url)
        async with run_role("engine.outbound", environment), run_role("engine.outbound", environment) as doomed:
            await _wait_for_nodes(database, 2)
            async with _watching(receivers) as watch:
                await wait_for(lambda: all(len(receiver.mails) > 20 for receiver in receivers.values()))
                await kill(doomed)
                left = MEMBERS - sum(len(receiver.mails) for receiver in receivers.values())
                await wait_for_all(database, post, MessageStatus.SENT)
            assert [node["role"] for node in await _nodes_as_printed(environment)] == ["send"]
    mails = [field_of(mail, "X-Brevduva-Token") for receiver in receivers.values() for mail in receiver.mails]
    most = max(receiver.most_connections_at_once for receiver in receivers.values())
    tell(
        f"two senders, one killed: at most {most} connections to a site, {watch.seconds_above:.1f} s above {LIMIT}; "
        f"mail to a site stopped for {watch.longest_stop:.1f} s at most; {len(mails) - MEMBERS} sent again"
    )
    assert left > MEMBERS // 10
    assert len(set(mails)) == MEMBERS
    assert most <= 2 * LIMIT
    assert watch.seconds_above < 10
    assert watch.longest_stop < 10


@pytest.mark.slow
async def test_the_supervisor_replaces_senders_that_die_and_that_hang(
    database: Database, database_url: str, tmp_path: Path, tell: Tell
) -> None:
    settings = read_settings(None, storage={"data_dir": tmp_path}, sending={"senders": 2})
    environment = {
        "BREVDUVA_STORAGE__DATA_DIR": str(tmp_path),
        "BREVDUVA_STORAGE__DATABASE_URL": database_url,
    }
    post = await queue_post(database, [f"m{n}@post{n % 7}.example" for n in range(300)], SystemClock().now())
    stop = asyncio.Event()
    service = asyncio.create_task(
        supervise(settings, [ServiceRole.SEND], environment, stop=stop, hangs_after_seconds=3.0)
    )
    try:
        first = await _wait_for_nodes(database, 2)
        os.kill(first[0], signal.SIGKILL)
        second = await _wait_for_others(database, {first[0]})
        began = monotonic()
        if database.is_sqlite:
            freeze_inside_a_transaction(second[0], str(database.url.database))
        else:
            os.kill(second[0], signal.SIGSTOP)
        later = await queue_post(database, [f"k{n}@post{n % 7}.example" for n in range(200)], SystemClock().now())
        await _wait_for_others(database, {second[0]})
        seconds = monotonic() - began
        await wait_for_all(database, post, MessageStatus.SENT)
        await wait_for_all(database, later, MessageStatus.SENT)
    finally:
        stop.set()
        await service
    copies = Counter(receipt.recipient for receipt in read_receipts(tmp_path / "sandbox-receipts.jsonl"))
    rows = [*await messages(database, post), *await messages(database, later)]
    assert set(copies) == {one.email for one in rows}
    for one in rows:
        if copies[one.email] > 1:
            events = await history(database, one.message_id)
            assert copies[one.email] <= 1 + sum(event.new is MessageStatus.UNKNOWN for event in events)
    tell(f"a sender that hung was killed and replaced within {seconds:.1f} s; {copies.total() - len(rows)} sent again")


async def test_a_process_that_is_still_loading_does_not_hang(tmp_path: Path) -> None:
    child = Child("send-0", "http.server", {}, tmp_path / "send-0")
    assert not child.hangs(0)
    process = await child.start(read_output=True)
    try:
        _stir(child, seconds_ago=21)
        child.touched_at = child.sign_of_life.stat().st_mtime
        assert not child.hangs(20)
        _stir(child, seconds_ago=22)
        assert child.hangs(20)
        _stir(child, seconds_ago=19)
        assert not child.hangs(20)
    finally:
        await kill(process)
    _stir(child, seconds_ago=1000)
    assert not child.hangs(20)


def _stir(child: Child, *, seconds_ago: float) -> None:
    then = time() - seconds_ago
    os.utime(child.sign_of_life, (then, then))


async def _wait_for_others(database: Database, gone: set[int]) -> list[int]:
    """Two senders again, without those that are gone."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            pids = await _wait_for_nodes(database, 2)
            if not gone & set(pids):
                return pids
            await asyncio.sleep(0.1)
