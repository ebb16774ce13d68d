"""Several processes on one database: nothing is claimed twice, nothing is queued twice, nothing is lost."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import func, select

from config.vocabulary import MessageStatus, Reason
from engine.store import messages
from engine.store.database import Database
from engine.store.lanes import lanes
from engine.store.message_rows import counts
from engine.store.messages import Move, enqueue
from engine.store.queue import Job, Want, claim
from engine.store.tables import message_event
from tests.store.association import NOW, cards_of, make_association, make_mailing, queue_mailing

LEASE = timedelta(minutes=15)
MEMBERS = 2_000


@pytest.fixture
async def senders(database_url: str) -> AsyncIterator[list[Database]]:
    """Four senders, each with a connection of its own to one database."""
    databases = [Database(database_url) for _ in range(4)]
    yield databases
    for each in databases:
        await each.close()


async def claim_until_empty(sender: Database, lease: str) -> list[Job]:
    """Claim a little of every lane again and again, and settle it as sent."""
    done: list[Job] = []
    for number in count():
        async with sender.read() as connection:
            wants = [Want(lane.domain, lane.mailing_id, 3) for lane in await lanes(connection, NOW)]
        async with sender.write() as connection:
            jobs = await claim(connection, wants, f"{lease}-{number}", NOW, NOW + LEASE)
            moves = [
                Move(job.message_id, job.status, MessageStatus.SENT, NOW, Reason.ACCEPTED, lease=job.lease)
                for job in jobs
            ]
            assert len(await messages.move(connection, moves)) == len(jobs)
        done += jobs
        if not wants:
            break
    return done


async def test_senders_share_a_mailing_and_no_message_goes_to_two_of_them(senders: list[Database]) -> None:
    async with senders[0].write() as connection:
        sender = await make_association(connection, [f"m{n}@d{n % 7}.example" for n in range(300)])
        mailing_id = await queue_mailing(connection, sender)
    claimed = await asyncio.gather(*(claim_until_empty(each, f"s{n}") for n, each in enumerate(senders)))
    numbers = [job.message_id for jobs in claimed for job in jobs]
    assert len(numbers) == len(set(numbers)) == 300
    async with senders[0].read() as connection:
        assert await counts(connection, mailing_id) == {MessageStatus.SENT: 300}


QUEUE_AND_HANG = """
    import asyncio, sys
    from engine.store.database import Database
    from engine.store.messages import enqueue
    from engine.store.tables import card
    from tests.store.association import NOW
    from sqlalchemy import select

    async def main():
        async with Database(sys.argv[1]).write() as connection:
            cards = select(card).where(card.c.association_id == int(sys.argv[2]))
            await enqueue(connection, int(sys.argv[3]), cards, NOW)
            print("queued, not committed", flush=True)
            await asyncio.sleep(600)

    asyncio.run(main())
"""


async def test_queueing_that_is_killed_in_the_middle_and_repeated_writes_each_message_once(
    database: Database, database_url: str
) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, [f"m{n}@d{n % 50}.example" for n in range(MEMBERS)])
        mailing_id = await make_mailing(connection, sender)
    await asyncio.to_thread(queue_in_a_process_and_kill_it, database_url, sender.id, mailing_id)
    async with database.write() as connection:
        assert await counts(connection, mailing_id) == {}
        assert await enqueue(connection, mailing_id, cards_of(sender), NOW) == MEMBERS
        assert await enqueue(connection, mailing_id, cards_of(sender), NOW) == 0
    async with database.read() as connection:
        assert await counts(connection, mailing_id) == {MessageStatus.QUEUED: MEMBERS}
        assert (await connection.execute(select(func.count()).select_from(message_event))).scalar() == MEMBERS


def queue_in_a_process_and_kill_it(url: str, association_id: int, mailing_id: int) -> None:
    words = [url, str(association_id), str(mailing_id)]
    command = [sys.executable, "-c", textwrap.dedent(QUEUE_AND_HANG), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "queued, not committed\n"
        process.send_signal(signal.SIGKILL)
