"""Starts roles of the service as processes of their own, so that they can be killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from engine.sandbox.receiver_log import Receipt, read_receipts

LEASE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Box:
    """The internet in a box, running beside the test; `environment` leads a sender to it."""

    environment: dict[str, str]
    log: Path

    def receipts(self) -> list[Receipt]:
        return read_receipts(self.log)

    def count(self) -> int:
        return self.log.read_bytes().count(b"\n")

    async def wait_for(self, receipts: int, seconds: float = 120.0) -> None:
        """Return once the receivers have taken so many mails."""
        async with asyncio.timeout(seconds):
            while self.count() < receipts:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def open_box(folder: Path, database_url: str, **extra: str) -> AsyncIterator[Box]:
    """Start the box on ports of the system's choosing; it ends with the block."""
    environment = {
        "BREVDUVA_STORAGE__DATA_DIR": str(folder),
        "BREVDUVA_STORAGE__DATABASE_URL": database_url,
        "BREVDUVA_SENDING__LEASE_SECONDS": str(LEASE_SECONDS),
        **extra,
    }
    async with run_role("engine.sandbox", environment, read_output=True) as sandbox:
        assert sandbox.stdout is not None
        ports = json.loads(await sandbox.stdout.readline())
        environment |= {f"BREVDUVA_SANDBOX__{name.upper()}": str(port) for name, port in ports.items()}
        yield Box(environment, folder / "sandbox-receipts.jsonl")


@asynccontextmanager
async def run_role(
    module: str, environment: dict[str, str], *, read_output: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `python -m module`; what is still running at the end is killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE if read_output else None,
    )
    try:
        yield process
    finally:
        await kill(process)


def freeze_inside_a_transaction(pid: int, path: str) -> None:
    """Stop a process while it holds SQLite's one lock."""
    for _ in range(1000):
        os.kill(pid, signal.SIGSTOP)
        if _is_locked(path):
            return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.003)
    raise TimeoutError("the process was never met inside a transaction")


def _is_locked(path: str) -> bool:
    with closing(sqlite3.connect(path, timeout=0.05, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        connection.execute("ROLLBACK")
    return False


async def kill(process: asyncio.subprocess.Process) -> None:
    """End a process at once, as a power cut would (`kill -9`)."""
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)
    await process.wait()
