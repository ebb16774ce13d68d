"""The synced spool: a mail is a file that is on the disk before anyone hears 250, and stays until it is removed.

tmp/    being received; nobody was promised anything of it
new/    whole and synced, whatever died when; waits until what it says stands in the database
aside/  could not be worked with; kept for the operator
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

import structlog

from engine.listen.commit import SYNCERS, Committer
from engine.listen.incoming import Incoming
from engine.listen.spooled import Envelope, SpooledMail, read_spooled

_FORGOTTEN_SECONDS = 24 * 3600

log = structlog.get_logger("spool")


class Spool:
    """A folder of returned mail: the listener puts in, the inbound journey takes out, in one process or in several."""

    def __init__(self, directory: Path) -> None:
        self._tmp = directory / "tmp"
        self._new = directory / "new"
        self.aside = directory / "aside"
        for folder in (self._tmp, self._new):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._numbers = itertools.count()
        self._mark = secrets.token_hex(4)  # two processes, or one started twice by the same clock, never share a name
        self._pool = ThreadPoolExecutor(SYNCERS, thread_name_prefix="spool")
        self._committer = Committer(self._new, self._pool)
        self._leaving: set[str] = set()
        self._removals: set[Future[None]] = set()

    def begin(self, envelope: Envelope) -> Incoming:
        """Start receiving a mail; end with `commit` or with the mail's `discard`."""
        name = f"{envelope.received_at:%Y%m%dT%H%M%S.%f}-{next(self._numbers):09d}-{self._mark}"
        return Incoming(self._tmp / name, self._pool, envelope)

    async def commit(self, mail: Incoming) -> None:
        """Return once the mail is on the disk for good; raises what hindered it, OSError where that is the disk.

        Cancelling the caller does not stop it. A mail that is not committed is discarded.
        """
        await self._committer.commit(mail)

    async def close(self) -> None:
        """Wait until nothing is being written, then let the threads go."""
        await self._committer.finish()
        await asyncio.to_thread(self._pool.shutdown)

    def free_bytes(self) -> int:
        """Return how much room the disk has left."""
        disk = os.statvfs(self._new)
        return disk.f_bavail * disk.f_frsize

    def pending(self) -> Iterator[SpooledMail]:
        """Yield the mails that wait by now, oldest first; only the one that is yielded is in memory."""
        for path in sorted(self._new.iterdir()):
            mail = read_spooled(path)
            if mail is not None:
                yield mail

    def batch(self, most_mails: int = 100, most_bytes: int = 16 * 1024 * 1024) -> list[SpooledMail]:
        """Return the oldest mails that wait: as many as that, but few where they are big; empty where none waits."""
        mails: list[SpooledMail] = []
        room = most_bytes
        for name in self._oldest(most_mails):
            mail = read_spooled(self._new / name)
            if mail is not None:
                mails.append(mail)
                room -= len(mail.raw)
            if room <= 0:
                break
        return mails

    def remove(self, mails: Sequence[SpooledMail]) -> None:
        """Take mails out, while others are read: no later batch holds them. `finish_removing` waits for it."""
        self._leaving |= {mail.path.name for mail in mails}
        removal = self._pool.submit(self._remove, mails)
        self._removals.add(removal)
        removal.add_done_callback(self._removals.discard)

    async def finish_removing(self) -> None:
        """Return once what was to be removed is gone."""
        await asyncio.to_thread(wait, set(self._removals))

    def count_aside(self) -> int:
        """Return how many files lie aside, for the operator to look at."""
        return sum(1 for _ in self.aside.iterdir()) if self.aside.is_dir() else 0

    def forget_unfinished(self) -> None:
        """Remove what a process that died left unfinished, a day later; nobody was promised anything of it."""
        for path in self._tmp.iterdir():
            with suppress(OSError):  # another process ends it at this moment, or it is none of ours
                if time.time() - path.stat().st_mtime > _FORGOTTEN_SECONDS:
                    path.unlink()

    def _remove(self, mails: Sequence[SpooledMail]) -> None:
        try:
            for mail in mails:
                mail.remove()
        except OSError:  # they stay out of every batch, and the next process finds that it has them already
            log.exception("mails that are kept cannot be removed")
        else:
            self._leaving -= {mail.path.name for mail in mails}

    def _oldest(self, count: int) -> list[str]:
        with os.scandir(self._new) as entries:  # a backlog of 50,000 is neither sorted nor made paths for every batch
            return heapq.nsmallest(count, (entry.name for entry in entries if entry.name not in self._leaving))
