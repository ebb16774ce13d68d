"""The database goes away or its disk is full in the middle of a mailing: sending waits, goes on, and loses nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from config.vocabulary import MessageStatus
from engine.clock import SystemClock
from engine.sandbox.letters import field_of
from engine.shape.traffic import MOST_UNDER_WAY
from engine.store.database import Database
from engine.store.migrate import migrate
from tests.conftest import not_run
from tests.fakes.mx import FakeMx
from tests.journeys.conftest import Tell
from tests.journeys.processes import run_role
from tests.journeys.town import (
    history,
    messages,
    open_town,
    queue_post,
    running,
    statuses,
    taken,
    wait_for,
    wait_for_all,
)
from tests.postgresql import Cluster, find_binaries, running_cluster

MEMBERS = 1500
MORE_THAN_FIT = 3 * MOST_UNDER_WAY
"""What is under way already goes out with the disk full, so there must be more."""
SITES = 5
DOMAINS = [f"ort{number}.example" for number in range(SITES)]


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A PostgreSQL that this test alone may crash."""
    binaries = find_binaries()
    if binaries is None:
        not_run("PostgreSQL is not installed: its restart was not tried (apt-get install postgresql)")
    with running_cluster(binaries) as cluster:
        yield cluster


@pytest.mark.slow
async def test_a_database_that_crashes_and_comes_back_costs_nothing(
    own_cluster: Cluster, tmp_path: Path, tell: Tell
) -> None:
    clock, receiver, url = SystemClock(), FakeMx(delay_seconds=0.02), own_cluster.url("postgres")
    database = Database(url)
    await migrate(database)
    async with open_town(dict.fromkeys(DOMAINS, receiver)) as town:
        post = await queue_post(database, [f"m{n}@{DOMAINS[n % SITES]}" for n in range(MEMBERS)], clock.now())
        environment = {
            "BREVDUVA_STORAGE__DATA_DIR": str(tmp_path),
            "BREVDUVA_STORAGE__DATABASE_URL": url,
            "BREVDUVA_SENDING__LEASE_SECONDS": "3",
            "BREVDUVA_SANDBOX__DNS_PORT": str(town.dns.port),
            "BREVDUVA_SANDBOX__SMTP_PORT": str(town.smtp_port),
        }
        async with run_role("engine.outbound", environment) as sender:
            await wait_for(lambda: len(receiver.mails) >= MEMBERS // 10)
            await asyncio.to_thread(own_cluster.restart)
            before, began = len(receiver.mails), monotonic()
            await wait_for(lambda: len(receiver.mails) > before + 200)
            seconds = monotonic() - began
            await wait_for_all(database, post, MessageStatus.SENT)
            assert sender.returncode is None
    copies = Counter(field_of(mail, "X-Brevduva-Token") for mail in receiver.mails)
    rows = await messages(database, post)
    doubts = 0
    for one in rows:
        doubts += sum(event.new is MessageStatus.UNKNOWN for event in await history(database, one.message_id))
    await database.close()
    tell(f"PostgreSQL crashed mid-mailing: mail flowed {seconds:.1f} s later, {copies.total() - MEMBERS} sent again")
    assert len(copies) == MEMBERS
    assert copies.total() - MEMBERS <= doubts
    assert seconds < 10


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of a few megabytes, outside pytest's folders: one left mounted there would fail later runs."""
    if os.geteuid():
        not_run("a full disk needs root, to mount a small one")
    folder = Path(tempfile.mkdtemp(prefix="brevduva-small-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)  # a test that failed may still hold its files
        folder.rmdir()


@pytest.mark.slow
async def test_a_full_disk_stops_sending_until_there_is_room(
    small_disk: Path, sqlite_template: Path, tell: Tell
) -> None:
    path = shutil.copy(sqlite_template, small_disk / "brevduva.db")
    database, clock, receiver = Database(f"sqlite:///{path}"), SystemClock(), FakeMx(delay_seconds=0.02)
    async with open_town(dict.fromkeys(DOMAINS, receiver)) as town:
        post = await queue_post(database, [f"m{n}@{DOMAINS[n % SITES]}" for n in range(MORE_THAN_FIT)], clock.now())
        async with running(town.sender(database, clock)):
            await wait_for(lambda: len(receiver.mails) >= MEMBERS // 10)
            _fill(small_disk / "filler")
            stopped_at = await _wait_until_quiet(receiver)
            (small_disk / "filler").unlink()
            began = monotonic()
            await wait_for(lambda: len(receiver.mails) > stopped_at)
            seconds = monotonic() - began
            await wait_for_all(database, post, MessageStatus.SENT)
    counts = await statuses(database, post)
    await database.close()
    tell(
        f"a full disk stopped sending at {stopped_at} of {MORE_THAN_FIT} mails; "
        f"with room again it went on in {seconds:.1f} s"
    )
    assert stopped_at < MORE_THAN_FIT
    assert counts == {MessageStatus.SENT: MORE_THAN_FIT}
    assert len(taken(receiver)) == len(set(taken(receiver))) == MORE_THAN_FIT


def _fill(path: Path) -> None:
    """Leave not a byte of room."""
    with path.open("wb", buffering=0) as file:
        for block in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(block))
            except OSError:
                continue


async def _wait_until_quiet(receiver: FakeMx) -> int:
    """Return once no mail has come for two seconds: how many have come."""
    mails, since = -1, monotonic()
    while monotonic() - since < 2:
        if len(receiver.mails) != mails:
            mails, since = len(receiver.mails), monotonic()
        await asyncio.sleep(0.02)
    return mails
