"""How a mail becomes one that may be promised: synced, renamed, and the folder synced, many at a time.

A crash before the rename leaves a file in `tmp/` that nobody was promised; a crash after the rename but before the 250
leaves a mail that its sender sends again: the same mail twice counts once by its digest.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.listen.incoming import Incoming

SYNCERS = 8
"""Threads that wait for the disk, so many files at a time."""

_BATCH = 64

_Waiting = tuple[Incoming, asyncio.Future[None]]


class Committer:
    """Puts mails into a folder for good; those that wait together are synced together."""

    def __init__(self, folder: Path, pool: ThreadPoolExecutor) -> None:
        self._folder = folder
        self._pool = pool
        self._waiting: list[_Waiting] = []
        self._committing: asyncio.Task[None] | None = None

    async def commit(self, mail: Incoming) -> None:
        """Return once the mail is on the disk for good; raises what hindered it (the mail is then discarded).

        Cancelling the caller does not stop it.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((mail, done))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_waiting())
        await asyncio.shield(done)

    async def finish(self) -> None:
        """Return once nothing is being committed."""
        while self._committing is not None:
            await asyncio.wait([self._committing])

    async def _commit_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            _tell(batch, await self._try_all([mail for mail, _ in batch]))
        self._committing = None

    async def _try_all(self, mails: Sequence[Incoming]) -> Sequence[Exception | None]:
        """Commit some mails; returns what hindered each. Nobody is left waiting, whatever goes wrong."""
        try:
            return await self._commit_all(mails)
        except Exception as trouble:
            return [trouble] * len(mails)

    async def _commit_all(self, mails: Sequence[Incoming]) -> list[Exception | None]:
        loop = asyncio.get_running_loop()
        shares = [mails[start::SYNCERS] for start in range(min(SYNCERS, len(mails)))]
        synced = await asyncio.gather(*(loop.run_in_executor(self._pool, _sync_each, share) for share in shares))
        troubles: dict[Incoming, Exception | None] = {mail: trouble for share in synced for mail, trouble in share}
        whole = [mail for mail in mails if troubles[mail] is None]
        troubles |= await loop.run_in_executor(self._pool, self._publish, whole)
        return [troubles[mail] for mail in mails]

    def _publish(self, mails: Sequence[Incoming]) -> dict[Incoming, OSError]:
        try:
            for mail in mails:
                mail.path.rename(self._folder / mail.path.name)
            _sync_folder(self._folder)
        except OSError as trouble:
            return dict.fromkeys(mails, trouble)
        return {}


def _sync_each(mails: Sequence[Incoming]) -> list[tuple[Incoming, OSError | None]]:
    return [(mail, _sync(mail)) for mail in mails]


def _sync(mail: Incoming) -> OSError | None:
    try:
        mail.sync()
    except OSError as trouble:
        return trouble
    return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _tell(batch: Sequence[_Waiting], troubles: Sequence[Exception | None]) -> None:
    for (mail, done), trouble in zip(batch, troubles, strict=True):
        if trouble is None:
            done.set_result(None)
        else:
            mail.discard()
            done.set_exception(trouble)
