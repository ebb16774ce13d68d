"""Reads hostile mail in processes that are killed at their limits, so that one mail never stops the queue."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.popen_spawn_posix import Popen
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from dsn_parser.read_report import UNPARSEABLE, read_report
from dsn_parser.report import Report

CPU_LIMIT_SECONDS = 2.0
MEMORY_LIMIT_BYTES = 128 * 1024 * 1024
WALL_LIMIT_SECONDS = 30.0
"""A worker that waits instead of computing, as on a swapping machine, is given this long."""

TASKS_PER_WORKER = 1000
"""Then a worker is replaced, so that what libraries cache never piles up."""

MAILS_A_TASK = 20
"""How many mails go to a worker at once: each way costs more than an ordinary mail."""

_log = logging.getLogger(__name__)

Reader = Callable[[bytes], Report]
M = TypeVar("M")
T = TypeVar("T")


class ParserPool:
    """Worker processes that read mails: `async with ParserPool() as pool: report = await pool.read(raw)`."""

    def __init__(self, workers: int = 1, reader: Reader = read_report) -> None:
        self._reader = reader
        self._workers = workers
        self._pool = self._open()

    async def read(self, raw: bytes) -> Report:
        """Read one mail; one that costs 2 s of CPU or 128 MB, or kills its worker, is unparseable (THREATS, Parser).

        Raises BrokenProcessPool where no worker can be started; the next call tries that anew.
        """
        try:
            return await self._run(read_within_limits, raw)
        except BrokenProcessPool:
            raise
        except (ProcessExpired, TimeoutError):
            return UNPARSEABLE
        except Exception:  # a fault of ours must not stop the queue either; the mail itself is kept
            _log.exception("a mail could not be read")
            return UNPARSEABLE

    async def read_all(self, raws: Sequence[bytes]) -> list[Report]:
        """Read many mails, in order, each within the limits of its own."""
        tasks = [raws[start : start + MAILS_A_TASK] for start in range(0, len(raws), MAILS_A_TASK)]
        return [report for some in await asyncio.gather(*map(self._read_some, tasks)) for report in some]

    async def _read_some(self, raws: Sequence[bytes]) -> list[Report]:
        """Read a few mails in one go; where one of them ends the worker, each is read alone."""
        try:
            return await self._run(read_each_within_limits, raws)
        except BrokenProcessPool:
            raise
        except Exception:  # whatever it was, the mail that did it is found alone
            return [await self.read(raw) for raw in raws]

    async def _run(self, work: Callable[[Reader, M], T], mail: M) -> T:
        if not self._pool.active:
            self._pool = self._open()
        future = self._pool.schedule(work, (self._reader, mail), timeout=WALL_LIMIT_SECONDS)
        return await asyncio.wrap_future(future)

    def _open(self) -> ProcessPool:
        return ProcessPool(self._workers, TASKS_PER_WORKER, initializer=warm_up, context=_Spawn())

    async def close(self) -> None:
        """Finish what is being read and end the workers."""
        self._pool.close()  # type: ignore[no-untyped-call]  # pebble annotates all but this
        await asyncio.to_thread(self._pool.join)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()


class _Worker(SpawnProcess):
    """A worker imports the parser and nothing else: not the program that runs here, as spawned processes do."""

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Popen:
        program = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            return SpawnProcess._Popen(process_obj)
        finally:
            sys.modules["__main__"] = program


class _Spawn(SpawnContext):
    """Spawned, not forked: a fork would take the locks of a running event loop along."""

    Process = _Worker


def warm_up() -> None:
    """Load the rules before the first mail, so that its limits count only what the mail costs."""
    read_report(b"Subject: undeliverable\n\n550 5.1.1 user unknown")


def read_within_limits(reader: Reader, raw: bytes) -> Report:
    """Run in a worker: the process ends by SIGPROF past the CPU limit, or itself when memory is refused."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_memory_in_use_bytes() + MEMORY_LIMIT_BYTES, most))
    signal.setitimer(signal.ITIMER_PROF, CPU_LIMIT_SECONDS)
    try:
        return reader(raw)
    except MemoryError:
        os._exit(os.EX_OSERR)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def read_each_within_limits(reader: Reader, raws: Sequence[bytes]) -> list[Report]:
    return [read_within_limits(reader, raw) for raw in raws]


def _memory_in_use_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    return pages * resource.getpagesize()
