"""The receive role as a process: killed while reports arrive, or without its database, it loses none it said 250 to."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.settings import read_settings
from config.vocabulary import MessageStatus
from engine.keys import load_keys
from engine.return_path import KeyRing, return_path
from engine.store.database import Database
from engine.store.message_rows import Message, events_of, get_many
from engine.store.migrate import migrate
from tests.conftest import not_run
from tests.journeys.conftest import Tell
from tests.journeys.processes import kill, run_role
from tests.journeys.returns import BOUNCE_DOMAIN, bounce, original_of, send_all
from tests.listen.callers import SOAK, calling
from tests.postgresql import Cluster, find_binaries, running_cluster

REPORTS = 5000 if SOAK else 300
KILLS = 20 if SOAK else 3
CALLERS = 8
MAILS_A_CALL = 40


class Desk:
    """Where the receive role of a test stands, and which of its reports were answered with 250."""

    def __init__(self, folder: Path, database: Database, url: str) -> None:
        with closing(socket.socket()) as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = int(taken.getsockname()[1])
        self.database = database
        self.environment = {
            "BREVDUVA_STORAGE__DATA_DIR": str(folder),
            "BREVDUVA_STORAGE__DATABASE_URL": url,
            "BREVDUVA_RECEIVING__PORT": str(self.port),
        }
        self.ring: KeyRing = load_keys(read_settings(storage={"data_dir": folder})).ring
        self.heard: set[int] = set()

    async def is_open(self) -> None:
        """Return once the role listens."""
        async with asyncio.timeout(30):
            while True:
                with suppress(ConnectionError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                await asyncio.sleep(0.05)

    async def hand_over(self, waiting: list[Message]) -> None:
        """Hand over reports until none is left or the role is gone; several callers share the list."""
        with suppress(ConnectionError, AssertionError):
            while waiting:
                async with calling(self.port) as caller:
                    for _ in range(MAILS_A_CALL):
                        message = waiting.pop() if waiting else None
                        if message is None:
                            return
                        address = return_path(self.ring, message.message_id, BOUNCE_DOMAIN)
                        raw = bounce(original_of(self.ring, message), message.email, address)
                        reply = await caller.hand_over(address, raw)
                        if not reply.startswith("250"):
                            return
                        self.heard.add(message.message_id)

    async def hand_over_from_all(self, waiting: list[Message]) -> None:
        await asyncio.gather(*(self.hand_over(waiting) for _ in range(CALLERS)))

    async def wait_until_applied(self, seconds: float = 60.0) -> None:
        """Return once every message whose report was taken is invalid."""
        async with asyncio.timeout(seconds):
            while await self.unapplied():
                await asyncio.sleep(0.1)

    async def unapplied(self) -> set[int]:
        async with self.database.read() as connection:
            now = await get_many(connection, self.heard)
        return {one.message_id for one in now.values() if one.status is not MessageStatus.INVALID}


async def send(database: Database, count: int) -> list[Message]:
    async with database.write() as connection:
        people = [f"medlem{number}@post{number % 7}.example" for number in range(count)]
        return (await send_all(connection, people, datetime.now(UTC)))[1]


@pytest.mark.slow
async def test_every_report_that_heard_250_is_applied_once_though_the_role_is_killed(
    database: Database, database_url: str, tmp_path: Path, tell: Tell
) -> None:
    desk, dice = Desk(tmp_path, database, database_url), random.Random(11)
    messages = await send(database, REPORTS)
    waiting = list(messages)
    for number in range(1, KILLS + 1):
        async with run_role("engine.inbound", desk.environment) as role:
            await desk.is_open()
            goal = number * REPORTS // (KILLS + 2) + dice.randrange(20)
            calls = asyncio.create_task(desk.hand_over_from_all(waiting))
            async with asyncio.timeout(60):
                while len(desk.heard) < goal and not calls.done():
                    await asyncio.sleep(0.001)
            await kill(role)
            await calls
    async with run_role("engine.inbound", desk.environment):
        await desk.is_open()
        await desk.hand_over_from_all(waiting)
        await desk.wait_until_applied()
    assert len(desk.heard) > REPORTS // 2
    async with database.read() as connection:
        for message_id in sorted(desk.heard):
            events = await events_of(connection, message_id)
            assert [event.new for event in events if event.report_id] == [MessageStatus.INVALID]
    tell(f"{KILLS} kills -9, {len(desk.heard)} reports answered with 250: lost 0, applied twice 0")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of this test's own, to be pulled down."""
    binaries = find_binaries()
    if binaries is None:
        not_run("PostgreSQL is not installed: it was not stopped under the receive role (apt-get install postgresql)")
    with running_cluster(binaries) as running:
        yield running


@pytest.mark.slow
async def test_reports_are_taken_while_postgresql_is_down_and_applied_when_it_is_back(
    cluster: Cluster, tmp_path: Path
) -> None:
    url = cluster.url("postgres")
    database = Database(url)
    await migrate(database)
    messages = await send(database, 40)
    desk = Desk(tmp_path, database, url)
    async with run_role("engine.inbound", desk.environment) as role:
        await desk.is_open()
        await desk.hand_over(messages[:20])
        await desk.wait_until_applied()
        await asyncio.to_thread(cluster.stop)
        await desk.hand_over(messages[20:])
        assert len(desk.heard) == 40
        await asyncio.sleep(1)
        await asyncio.to_thread(cluster.start)
        await desk.wait_until_applied()
        assert role.returncode is None
    await database.close()


@pytest.mark.slow
async def test_a_role_that_is_told_to_reread_its_certificate_goes_on(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    desk = Desk(tmp_path, database, database_url)
    async with run_role("engine.inbound", desk.environment) as role:
        await desk.is_open()
        role.send_signal(signal.SIGHUP)
        (message,) = await send(database, 1)
        await desk.hand_over([message])
        await desk.wait_until_applied()
        role.terminate()
        assert await asyncio.wait_for(role.wait(), 30) == 0
    assert not list((tmp_path / "spool" / "new").iterdir())
