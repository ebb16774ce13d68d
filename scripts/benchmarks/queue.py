"""What claiming and settling a mail costs with 10,000 and with 1,000,000 waiting, and how long queueing takes."""

from __future__ import annotations

import argparse
import asyncio
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

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

_MEMBERS_OF_A_LARGE_REGISTER = 100_000
_ROUNDS = 10
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
    few, many = (_measure(rows, options) for rows in options.rows)
    print(f"a mail among {options.rows[1]:,} costs {many / few:.2f} times one among {options.rows[0]:,}")


def _measure(rows: int, options: argparse.Namespace) -> float:
    """Wall seconds of claiming and settling one mail among so many."""
    with ExitStack() as stack:
        url = f"sqlite:///{stack.enter_context(fresh_folder(Path(options.folder)))}/queue.db"
        if options.postgresql:
            binaries = find_binaries()
            assert binaries, "there is no PostgreSQL here"
            url = stack.enter_context(running_cluster(binaries)).url("postgres")
        return asyncio.run(_run(Database(url), rows))


async def _run(database: Database, rows: int) -> float:
    now = datetime.now(UTC)
    members = min(rows, _MEMBERS_OF_A_LARGE_REGISTER)
    try:
        await migrate(database)
        async with database.write() as connection:
            register = await write_register(connection, members, now)
        seconds = [await _enqueue(database, register, now) for _ in range(rows // members)]
        wall, cpu = await _claim_and_settle(database, now)
    finally:
        await database.close()
    print(
        f"{rows:9,} waiting: {wall * 1e6:5.0f} µs a mail to claim and settle, {cpu * 1e6:5.0f} µs CPU;"
        f" queueing {members:,} took {max(seconds):.1f} s at most",
        flush=True,
    )
    return wall


async def _enqueue(database: Database, register: Register, now: datetime) -> float:
    """Seconds that sending one more mailing to the whole register takes."""
    async with database.write() as connection:
        draft = await write_draft(connection, register, now)
    began = time.perf_counter()
    async with database.write() as connection:
        await sending.send(connection, draft.association_id, draft.id, Filter(), now)
    return time.perf_counter() - began


async def _claim_and_settle(database: Database, now: datetime) -> tuple[float, float]:
    """Wall and CPU seconds a mail, over some rounds; the first, in which the statements are made, is not counted."""
    fairness = Fairness()
    await _one_round(database, fairness, now)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(_ROUNDS):
        await _one_round(database, fairness, now)
    mails = _ROUNDS * _BATCH
    return (time.perf_counter() - wall) / mails, (time.process_time() - cpu) / mails


async def _one_round(database: Database, fairness: Fairness, now: datetime) -> None:
    """Choose a batch fairly, claim it, and settle it."""
    async with database.read() as connection:
        due = await lanes(connection, now)
    async with database.write() as connection:
        jobs = await queue.claim(connection, fairness.choose(due, {}, _BATCH), "a lease", now, now + _LEASE)
    fairness.note(jobs)
    async with database.write() as connection:
        applied = await apply_attempts(connection, [_outcome(job, now) for job in jobs], now, _POLICY)
    assert len(applied.moved) == _BATCH


def _outcome(job: Job, now: datetime) -> AttemptOutcome:
    return AttemptOutcome(job, _ACCEPTED, _WORDS, "mx.example [127.0.0.1]", "", False, None, now)


if __name__ == "__main__":
    main()
