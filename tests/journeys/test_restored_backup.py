"""A restored backup and a copied database send nothing until a person releases them."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from config.vocabulary import MessageStatus
from engine.clock import SystemClock
from engine.queue import custody
from engine.queue.custody import NOT_RELEASED, Custody
from engine.store import operations
from engine.store.database import Database
from engine.store.installation import advance
from tests.fakes.mx import FakeMx
from tests.journeys.processes import run_role
from tests.journeys.town import open_town, queue_post, wait_for, wait_for_all
from tests.store.association import NOW


async def test_a_sender_goes_on_with_the_database_it_knows(database: Database, tmp_path: Path) -> None:
    mine, beside_me = Custody(tmp_path, database), Custody(tmp_path, database)
    assert [await each.step() for each in (mine, mine, beside_me, mine)] == [True] * 4


async def test_a_copy_elsewhere_is_not_sent_from(database: Database, tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    assert await Custody(here, database).step()
    copy = Custody(elsewhere, database)
    assert not await copy.step()
    await copy.release(NOW)
    assert await copy.step()
    assert await Custody(here, database).step()


async def test_a_database_set_back_is_not_sent_from_until_it_is_released(database: Database, tmp_path: Path) -> None:
    mine = Custody(tmp_path, database)
    for _ in range(5):
        assert await mine.step()
    async with database.write() as connection:
        await advance(connection, 2)
    assert not await mine.step()
    await mine.release(NOW)
    assert await mine.step()


async def test_a_sender_whose_database_is_exchanged_stops(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custody, "STEP_SECONDS", 0.01)
    mine, stop = Custody(tmp_path, database), asyncio.Event()
    assert await mine.step()
    assert await mine.step()
    async with database.write() as connection:
        await advance(connection, 1)
    await asyncio.wait_for(mine.keep(stop), 5)
    assert stop.is_set()


@pytest.mark.slow
async def test_a_restored_file_waits_for_its_release(sqlite_template: Path, tmp_path: Path) -> None:
    path, backup = tmp_path / "brevduva.db", tmp_path / "backup.db"
    shutil.copy(sqlite_template, path)
    receiver = FakeMx()
    async with open_town({"ort.example": receiver}) as town:
        environment = {
            "BREVDUVA_STORAGE__DATA_DIR": str(tmp_path),
            "BREVDUVA_SANDBOX__DNS_PORT": str(town.dns.port),
            "BREVDUVA_SANDBOX__SMTP_PORT": str(town.smtp_port),
        }
        database = Database(f"sqlite:///{path}")
        post = await queue_post(database, [f"m{n}@ort.example" for n in range(5)], SystemClock().now())
        await _copy(database, backup)
        async with run_role("engine.outbound", environment):
            await wait_for_all(database, post, MessageStatus.SENT)
        await database.close()
        _restore(backup, path)
        restored = Database(f"sqlite:///{path}")
        async with run_role("engine.outbound", environment):
            await _wait_for_alert(restored)
            assert len(receiver.mails) == 5
            await _release(environment)
            await wait_for(lambda: len(receiver.mails) == 10)
        await restored.close()


async def _copy(database: Database, backup: Path) -> None:
    """Step once, as a sender that ran before the backup was made, and copy the file as it stands."""
    assert database.url.database
    secrets = Path(database.url.database).parent / "secrets"
    secrets.mkdir(mode=0o700)
    assert await Custody(secrets, database).step()
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql(f"VACUUM INTO '{backup}'")


def _restore(backup: Path, path: Path) -> None:
    for rest in (f"{path}-wal", f"{path}-shm"):
        Path(rest).unlink(missing_ok=True)
    shutil.copy(backup, path)


async def _wait_for_alert(database: Database) -> None:
    async with asyncio.timeout(20):
        while True:
            async with database.read() as connection:
                if NOT_RELEASED in [alert.kind for alert in await operations.alerts(connection)]:
                    return
            await asyncio.sleep(0.1)


async def _release(environment: dict[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "engine", "release", env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE
    )
    await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
