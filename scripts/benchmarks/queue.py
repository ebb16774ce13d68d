"""What claiming and settling a mail costs with 10,000 and with 1,000,000 waiting, and how long queueing takes.

Both queues hold as many mailings to as many domains, so that they differ in nothing but the rows that wait.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from config.vocabulary import Action, EnhancedStatus, Fault, Reason, Reply, Verdict, VerdictStatus
from engine.mailing import sending
from engine.outcome.apply import AttemptOutcome, apply_attempts
from engine.outcome.decide import Policy
from engine.queue.fairness import Fairness
from engine.queue.retry_schedule import next_attempt
from engine.store import queue
from engine.store.database import Database
from engine.store.filters import Filter
from engine.store.lanes import lanes
from engine.store.migrate import migrate
from engine.store.queue import Job
from scripts.benchmarks._folder import FOLDER, fresh_folder
from scripts.benchmarks._mailing import Register, write_draft, write_register
from tests.postgresql import find_binaries, running_cluster

_MAILINGS = 10
_ROUNDS = 15
_BATCH = 500
_LEASE = timedelta(minutes=15)
_ACCEPTED = Verdict(VerdictStatus.DELIVERED, Reason.ACCEPTED, Fault.NONE, Action.NONE)
_WORDS = Reply(250, EnhancedStatus(2, 0, 0), "Ok: queued as 4B7c1f02fz9X")
_POLICY = Policy(next_attempt)


def main() -> None:
    """Print a line a size, and how much more a mail costs where many wait."""
    parser = argparse.ArgumentParser(prog="scripts/bench queue", description=__doc__)
    parser.add_argument("--rows", type=int, nargs=2, default=[10_000, 1_000_000], metavar=("FEW", "MANY"))
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    parser.add_argument("--folder", default=FOLDER, help="where the databases are made: its disk is measured")
    options = parser.parse_args()
    with ExitStack() as stack:
        urls = [stack.enter_context(_home(options)) for _ in options.rows]
        few, many = asyncio.run(_run(urls, options.rows))
    print(f"a mail among {options.rows[1]:,} costs {many / few:.2f} times one among {options.rows[0]:,}")


@contextmanager
def _home(options: argparse.Namespace) -> Iterator[str]:
    """Where a database can be made."""
    if not options.postgresql:
        with fresh_folder(Path(options.folder)) as folder:
            yield f"sqlite:///{folder}/queue.db"
        return
    binaries = find_binaries()
    assert binaries, "there is no PostgreSQL here"
    with running_cluster(binaries) as cluster:
        yield cluster.url("postgres")


@dataclass(slots=True)
class _Queue:
    """One queue, and what a mail has cost in each round: seconds, and CPU seconds of this process."""

    database: Database
    fairness: Fairness = field(default_factory=Fairness)
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def forget(self) -> None:
        self.wall.clear()
        self.cpu.clear()


async def _run(urls: Sequence[str], sizes: Sequence[int]) -> list[float]:
    """Seconds of claiming and settling one mail in each queue: the middle of rounds that are played in turns."""
    now = datetime.now(UTC)
    queues = [_Queue(Database(url)) for url in urls]
    try:
        for one, rows in zip(queues, sizes, strict=True):
            await _fill(one.database, rows, now)
            await _one_round(one, now)
            one.forget()  # in the first round the statements are made
        for _ in range(_ROUNDS):
            for one in queues:
                await _one_round(one, now)
    finally:
        for one in queues:
            await one.database.close()
    for one, rows in zip(queues, sizes, strict=True):
        wall, cpu = median(one.wall) * 1e6, median(one.cpu) * 1e6
        print(f"{rows:9,} waiting: {wall:5.0f} µs a mail to claim and settle, {cpu:5.0f} µs CPU")
    return [median(one.wall) for one in queues]


async def _fill(database: Database, rows: int, now: datetime) -> None:
    members = rows // _MAILINGS
    await migrate(database)
    async with database.write() as connection:
        register = await write_register(connection, members, now)
    seconds = [await _enqueue(database, register, now) for _ in range(_MAILINGS)]
    print(f"{rows:9,} waiting: queueing {members:,} took {max(seconds):.1f} s at most", flush=True)


async def _enqueue(database: Database, register: Register, now: datetime) -> float:
    """Seconds that sending one more mailing to the whole register takes."""
    async with database.write() as connection:
        draft = await write_draft(connection, register, now)
    began = time.perf_counter()
    async with database.write() as connection:
        await sending.send(connection, draft.association_id, draft.id, Filter(), now)
    return time.perf_counter() - began


async def _one_round(one: _Queue, now: datetime) -> None:
    """Choose a batch fairly, claim it, and settle it."""
    wall, cpu = time.perf_counter(), time.process_time()
    async with one.database.read() as connection:
        due = await lanes(connection, now)
    async with one.database.write() as connection:
        wants = one.fairness.choose(due, {}, _BATCH)
        jobs = await queue.claim(connection, wants, "a lease", now, now + _LEASE)
    one.fairness.note(jobs)
    async with one.database.write() as connection:
        moved = await apply_attempts(connection, [_outcome(job, now) for job in jobs], now, _POLICY)
    one.wall.append((time.perf_counter() - wall) / _BATCH)
    one.cpu.append((time.process_time() - cpu) / _BATCH)
    assert len(moved) == _BATCH


def _outcome(job: Job, now: datetime) -> AttemptOutcome:
    return AttemptOutcome(job, _ACCEPTED, _WORDS, "mx.example [127.0.0.1]", "", False, None, now)


if __name__ == "__main__":
    main()
