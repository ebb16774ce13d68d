"""A sender that dies or freezes at any moment loses nothing, and repeats only what nobody could know the end of."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.vocabulary import MessageStatus
from engine.sandbox.receiver_log import Receipt
from engine.store.database import Database
from engine.store.message_rows import Message, events_of
from tests.journeys.processes import LEASE_SECONDS, Box, kill, open_box, run_role
from tests.store.association import make_association, messages_of, queue_mailing

IS_LONG = os.environ.get("BREVDUVA_SOAK") == "1"
KILLS = 200 if IS_LONG else 10
MEMBERS = 5000 if IS_LONG else 1500


async def _queue(database: Database, members: int) -> int:
    emails = [f"medlem{number}@post{number % 7}.example" for number in range(members)]
    async with database.write() as connection:
        now = datetime.now(UTC)
        return await queue_mailing(connection, await make_association(connection, emails, now), now)


async def _read(database: Database, mailing_id: int) -> list[Message]:
    async with database.read() as connection:
        return await messages_of(connection, mailing_id)


async def _wait_until_all_sent(database: Database, mailing_id: int, seconds: float = 120.0) -> list[Message]:
    async with asyncio.timeout(seconds):
        while True:
            messages = await _read(database, mailing_id)
            if all(message.status is MessageStatus.SENT for message in messages):
                return messages
            await asyncio.sleep(0.2)


async def _times_in_doubt(database: Database, messages: list[Message]) -> Counter[str]:
    """How often it was not known what became of each message's attempt, by address."""
    doubts: Counter[str] = Counter()
    async with database.read() as connection:
        for message in messages:
            events = await events_of(connection, message.message_id)
            doubts[message.email] = sum(event.new is MessageStatus.UNKNOWN for event in events)
    return doubts


async def _assert_nothing_lost(database: Database, messages: list[Message], receipts: list[Receipt]) -> None:
    copies = Counter(receipt.recipient for receipt in receipts)
    assert [message.email for message in messages if not copies[message.email]] == []
    doubts = await _times_in_doubt(database, messages)
    assert {email: count for email, count in copies.items() if count > 1 + doubts[email]} == {}
    assert len({(receipt.recipient, receipt.message_id, receipt.digest) for receipt in receipts}) == len(copies)
    assert all(receipt.is_tidy for receipt in receipts)


async def _send_a_while_and_die(box: Box, dice: random.Random) -> None:
    before = box.count()
    async with run_role("engine.outbound", box.environment) as sender:
        await box.wait_for(before + 1)
        await asyncio.sleep(dice.uniform(0, 0.3))
        await kill(sender)


@pytest.mark.slow
async def test_a_sender_killed_again_and_again_loses_nothing(
    database: Database, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dice = random.Random(7)
    mailing_id = await _queue(database, MEMBERS)
    async with open_box(tmp_path, database_url) as box:
        kills = 0
        while kills < KILLS and box.count() < MEMBERS - 100:
            await _send_a_while_and_die(box, dice)
            kills += 1
        async with run_role("engine.outbound", box.environment):
            messages = await _wait_until_all_sent(database, mailing_id)
        receipts = box.receipts()
        await _assert_nothing_lost(database, messages, receipts)
    with capsys.disabled():
        print(f"\n{kills} kills, {MEMBERS} messages: lost 0, sent again {len(receipts) - MEMBERS}, all byte-identical")


@pytest.mark.slow
async def test_a_frozen_sender_that_wakes_after_its_lease_writes_nothing(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    mailing_id = await _queue(database, 600)
    async with open_box(tmp_path, database_url) as box:
        async with run_role("engine.outbound", box.environment) as frozen:
            await box.wait_for(50)
            await _freeze(frozen, database)
            await asyncio.sleep(LEASE_SECONDS + 0.5)
            async with run_role("engine.outbound", box.environment):
                await _wait_until_all_sent(database, mailing_id)
                before = await _everything(database, mailing_id)
                frozen.send_signal(signal.SIGCONT)
                await asyncio.sleep(1.5)
                assert await _everything(database, mailing_id) == before
        await _assert_nothing_lost(database, await _read(database, mailing_id), box.receipts())


async def _freeze(process: asyncio.subprocess.Process, database: Database) -> None:
    """Stop a process, but not inside a transaction: there it holds SQLite's one lock, and leases are not at play."""
    process.send_signal(signal.SIGSTOP)
    while database.is_sqlite and _is_locked(str(database.url.database)):
        process.send_signal(signal.SIGCONT)
        await asyncio.sleep(0.01)
        process.send_signal(signal.SIGSTOP)


def _is_locked(path: str) -> bool:
    with closing(sqlite3.connect(path, timeout=0.3, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
    return False


async def _everything(database: Database, mailing_id: int) -> list[object]:
    """Rows and histories: what a stale write would change."""
    messages = await _read(database, mailing_id)
    async with database.read() as connection:
        return [(message, await events_of(connection, message.message_id)) for message in messages]


@pytest.mark.slow
async def test_a_sender_told_to_stop_finishes_what_it_has_begun(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    mailing_id = await _queue(database, 800)
    async with open_box(tmp_path, database_url) as box:
        async with run_role("engine.outbound", box.environment) as sender:
            await box.wait_for(100)
            sender.terminate()
            assert await asyncio.wait_for(sender.wait(), 30) == 0
        taken = Counter(receipt.recipient for receipt in box.receipts())
        messages = await _read(database, mailing_id)
        assert {m.email for m in messages if m.status is MessageStatus.SENT} == set(taken)
        assert [m for m in messages if m.lease] == []
        async with run_role("engine.outbound", box.environment):
            await _wait_until_all_sent(database, mailing_id)
        assert max(Counter(receipt.recipient for receipt in box.receipts()).values()) == 1
