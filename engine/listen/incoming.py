"""A mail on its way into the spool's file; what waits for the disk waits in a thread."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from engine.listen.spooled import Envelope

_WRITE_BYTES = 64 * 1024
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
_CREATE = _APPEND | os.O_CREAT | os.O_EXCL


class Incoming:
    """A mail being received; holds at most 64 kB in memory, and its file open only while it writes."""

    def __init__(self, path: Path, pool: ThreadPoolExecutor, envelope: Envelope) -> None:
        self.path = path
        self._pool = pool
        self._buffer = bytearray(envelope.to_line())
        self._flags = _CREATE
        self._writing: Future[None] | None = None

    async def write(self, content: bytes) -> None:
        """Add content; raises OSError where the disk will not take it."""
        self._buffer += content
        if len(self._buffer) >= _WRITE_BYTES:
            self._writing = self._pool.submit(self._flush)
            await asyncio.shield(asyncio.wrap_future(self._writing))

    def sync(self) -> None:
        """Write what is left and wait until the disk has all of it; raises OSError."""
        self._flush(os.fdatasync)

    def discard(self) -> None:
        """Undo what was received, after any writing under way; the caller does not wait for it."""
        if self._writing is None or self._writing.done():
            self._pool.submit(self._remove)
        else:
            self._writing.add_done_callback(lambda _: self._remove())

    def _flush(self, finish: Callable[[int], object] = lambda _: None) -> None:
        descriptor = os.open(self.path, self._flags, 0o600)
        self._flags = _APPEND
        try:
            _write_all(descriptor, bytes(self._buffer))
            finish(descriptor)
        finally:
            os.close(descriptor)
        self._buffer.clear()

    def _remove(self) -> None:
        self.path.unlink(missing_ok=True)


def _write_all(descriptor: int, content: bytes) -> None:
    remaining = memoryview(content)
    while remaining:
        remaining = remaining[os.write(descriptor, remaining) :]
