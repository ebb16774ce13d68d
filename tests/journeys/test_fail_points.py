"""Cut off at any point of its work, a sender loses nothing, and repeats only what nobody could know the end of."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from sqlalchemy import inspect

from config.vocabulary import MessageStatus
from engine.clock import HandClock, SystemClock
from engine.store.database import Database
from engine.store.migrate import migrate
from tests.fakes.mx import DROP, FakeMx
from tests.journeys.conftest import Tell
from tests.journeys.dying_sender import DIED, GIVEN_BACK, IN_A_MIGRATION, POINTS
from tests.journeys.town import Town, history, messages, open_town, queue_post, running, statuses, taken, wait_for_all

MEMBERS = 800
SITES = 8


async def _die_at(points: list[str], town: Town, folder: Path, database_url: str) -> list[str]:
    environment = {
        "BREVDUVA_STORAGE__DATA_DIR": str(folder),
        "BREVDUVA_STORAGE__DATABASE_URL": database_url,
        "BREVDUVA_SENDING__LEASE_SECONDS": "1",
        "BREVDUVA_SANDBOX__DNS_PORT": str(town.dns.port),
        "BREVDUVA_SANDBOX__SMTP_PORT": str(town.smtp_port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.journeys.dying_sender", *points,
        env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return output.decode().splitlines()


@pytest.mark.slow
async def test_a_sender_cut_off_anywhere_loses_nothing(
    database: Database, database_url: str, tmp_path: Path, tell: Tell
) -> None:
    points = [point for point in POINTS if point != GIVEN_BACK]
    clock, receiver = SystemClock(), FakeMx()
    domains = [f"ort{number}.example" for number in range(SITES)]
    async with open_town(dict.fromkeys(domains, receiver)) as town:
        post = await queue_post(database, [f"m{n}@{domains[n % SITES]}" for n in range(MEMBERS)], clock.now())
        ends = await _die_at(points, town, tmp_path, database_url)
        assert ends == [f"{DIED} {point}" for point in points]
        assert len(receiver.mails) < MEMBERS
        async with running(town.sender(database, clock, sending={"lease_seconds": 1})):
            await wait_for_all(database, post, MessageStatus.SENT)
    copies = Counter(taken(receiver))
    rows = await messages(database, post)
    assert [one.message_id for one in rows if not copies[one.message_id]] == []
    again = {number: count - 1 for number, count in copies.items() if count > 1}
    for number, times in again.items():
        events = await history(database, number)
        assert sum(event.new is MessageStatus.UNKNOWN for event in events) >= times
    forms = defaultdict(set)
    for number, mail in zip(taken(receiver), receiver.mails, strict=True):
        forms[number].add(mail)
    assert max(map(len, forms.values())) == 1
    tell(
        f"cut off at {len(points)} points, {MEMBERS} messages: lost 0, sent again {sum(again.values())}, byte-identical"
    )


async def test_mail_being_given_back_is_not_lost(database: Database, database_url: str, tmp_path: Path) -> None:
    clock, receiver = HandClock(SystemClock().now()), FakeMx(always={"BANNER": DROP})
    async with open_town({"ort.example": receiver}) as town:
        post = await queue_post(database, [f"m{n}@ort.example" for n in range(20)], clock.now())
        assert await _die_at([GIVEN_BACK], town, tmp_path, database_url) == [f"{DIED} {GIVEN_BACK}"]
        receiver.always.clear()
        clock.leap(3600)
        outbound = town.sender(database, clock)
        await outbound.run_until_idle()
        await outbound.close()
    assert await statuses(database, post) == {MessageStatus.SENT: 20}
    assert sorted(taken(receiver)) == [one.message_id for one in await messages(database, post)]


async def test_a_migration_that_is_cut_off_begins_anew(database: Database, database_url: str, tmp_path: Path) -> None:
    await _empty(database)
    async with open_town({}) as town:
        assert await _die_at([IN_A_MIGRATION], town, tmp_path, database_url) == [f"{DIED} {IN_A_MIGRATION}"]
    async with database.read() as connection:
        assert await connection.run_sync(lambda sync: inspect(sync).get_table_names()) == []
    await migrate(database)
    await queue_post(database, ["ida@ort.example"], SystemClock().now())


async def _empty(database: Database) -> None:
    if database.is_sqlite:
        assert database.url.database
        for path in Path(database.url.database).parent.glob("brevduva.db*"):
            path.unlink()
        return
    async with database.write() as connection:
        await connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        await connection.exec_driver_sql("CREATE SCHEMA public")
