"""A listener in a process of its own, so that it can be weighed and killed: `python -m tests.listen.process SPOOL`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from engine.listen.server import Listener
from engine.listen.spool import Spool
from tests.listen.callers import HOSTNAME, POLICY

BEAT_SECONDS = 0.01


class ListenerProcess:
    """The process seen from outside: its port, its memory, its end."""

    def __init__(self, spool: Path) -> None:
        self.spool = spool

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.listen.process", str(self.spool)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """End it as power would: SIGKILL."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def resident_kib(self) -> int:
        return self._read_status("VmRSS")

    @property
    def descriptors(self) -> int:
        """How many files and connections it holds open."""
        return sum(1 for _ in Path(f"/proc/{self._process.pid}/fd").iterdir())

    @property
    def peak_kib(self) -> int:
        return self._read_status("VmHWM")

    @property
    def stall_seconds(self) -> float:
        """The longest time in which its loop could do nothing else, as it noted it itself."""
        return float(_stall_file(self.spool).read_text(encoding="ascii"))

    def _read_status(self, name: str) -> int:
        lines = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


async def serve(spool: Path) -> None:
    """Listen until killed."""
    listener = Listener(Spool(spool), POLICY, HOSTNAME)
    port = await listener.start("127.0.0.1", 0)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await note_stalls(_stall_file(spool))


async def note_stalls(file: Path) -> None:
    """Write down how late the loop came back from a short sleep, each time it is later than ever."""
    longest = 0.0
    while True:
        began = time.perf_counter()
        await asyncio.sleep(BEAT_SECONDS)
        late = time.perf_counter() - began - BEAT_SECONDS
        if late > longest:
            longest = late
            await asyncio.to_thread(file.write_text, str(longest), "ascii")


def _stall_file(spool: Path) -> Path:
    return spool.with_suffix(".stall")


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    asyncio.run(serve(Path(sys.argv[1])))
