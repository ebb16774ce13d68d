"""Starts each role as a process of its own, starts it again when it dies, and lets all of them finish on SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from config.settings import Settings
from config.vocabulary import ServiceRole
from engine.wiring import SIGN_OF_LIFE

_DRAIN_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 30.0
_WATCH_SECONDS = 2.0
_FORGIVEN_AFTER_SECONDS = 60.0
"""A process that has lived so long starts again at once should it die."""
HANGS_AFTER_SECONDS = 20.0
"""A process whose event loop has not stirred for so long hangs, perhaps with the database's lock in its hand."""
_STARTS_WITHIN_SECONDS = 120.0
"""A process that has not stirred yet may be loading still, however busy the machine; it holds nothing so far."""

log = structlog.get_logger()


_MODULE = {ServiceRole.WEB: "admin_api", ServiceRole.SEND: "engine.outbound", ServiceRole.RECEIVE: "engine.inbound"}
_SANDBOX_MODULE = "engine.sandbox"


@dataclass(slots=True)
class Child:
    """One process: how it is started, and how often it has died lately."""

    name: str
    module: str
    environment: dict[str, str]
    sign_of_life: Path
    process: asyncio.subprocess.Process | None = None
    deaths: int = 0
    started_at: float = 0.0
    touched_at: float = 0.0

    async def start(self, *, read_output: bool = False) -> asyncio.subprocess.Process:
        self.touch()
        self.started_at = time.monotonic()
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self.module,
            env={**os.environ, **self.environment, SIGN_OF_LIFE: str(self.sign_of_life)},
            stdout=asyncio.subprocess.PIPE if read_output else None,
        )
        return self.process

    def touch(self) -> None:
        """Count its silence from now."""
        self.sign_of_life.touch()
        self.touched_at = self.sign_of_life.stat().st_mtime

    def silent_seconds(self) -> float:
        """How long the process has shown no sign of life."""
        return time.time() - self.sign_of_life.stat().st_mtime

    def hangs(self, after_seconds: float) -> bool:
        """Whether it has been silent for too long; until it has stirred at all it has longer."""
        if self.process is None or self.process.returncode is not None:
            return False
        has_stirred = self.sign_of_life.stat().st_mtime != self.touched_at
        return self.silent_seconds() > (after_seconds if has_stirred else max(after_seconds, _STARTS_WITHIN_SECONDS))

    def note_death(self) -> None:
        has_lived = time.monotonic() - self.started_at > _FORGIVEN_AFTER_SECONDS
        self.deaths = 1 if has_lived else self.deaths + 1

    def pause_seconds(self) -> float:
        """How long to wait before the next start: twice as long after each death."""
        return min(2.0 ** (self.deaths - 1), _LONGEST_PAUSE_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        if self.process and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)


async def supervise(
    settings: Settings,
    roles: Sequence[ServiceRole],
    environment: dict[str, str],
    *,
    stop: asyncio.Event | None = None,
    hangs_after_seconds: float = HANGS_AFTER_SECONDS,
) -> None:
    """Run the roles until SIGTERM, SIGINT or `stop`, then give them 30 s to finish.

    `environment` is added to each process. One that shows no sign of life for `hangs_after_seconds` is killed.
    """
    stop = stop or asyncio.Event()
    children = await _make_children(settings, roles, environment)
    _listen_for_signals(stop, children)
    async with asyncio.TaskGroup() as group:
        for child in children:
            group.create_task(_keep_alive(child, stop))
        watching = group.create_task(_watch(children, hangs_after_seconds))
        await stop.wait()
        watching.cancel()
        await _drain(children)


async def _make_children(settings: Settings, roles: Sequence[ServiceRole], environment: dict[str, str]) -> list[Child]:
    """A child for each process; the sandbox, where there is one, runs by then, for the others must know its ports."""
    folder = settings.storage.data_dir / "run"
    folder.mkdir(parents=True, exist_ok=True)
    if settings.sending.mode != "sandbox":
        return _children(settings, roles, environment, folder)
    sandbox, ports = await _start_sandbox(environment, folder)
    sandbox.environment = {**environment, **ports}
    return [sandbox, *_children(settings, roles, sandbox.environment, folder)]


def _children(
    settings: Settings, roles: Sequence[ServiceRole], environment: dict[str, str], folder: Path
) -> list[Child]:
    senders = settings.sending.senders or os.cpu_count() or 1
    counts = {role: senders if role is ServiceRole.SEND else 1 for role in roles}
    names = [(role, f"{role}-{number}") for role, count in counts.items() for number in range(count)]
    return [Child(name, _MODULE[role], environment, folder / name) for role, name in names]


async def _start_sandbox(environment: dict[str, str], folder: Path) -> tuple[Child, dict[str, str]]:
    """Start the internet in a box; it says on its first line which ports it got."""
    child = Child("sandbox", _SANDBOX_MODULE, environment, folder / "sandbox")
    process = await child.start(read_output=True)
    assert process.stdout is not None
    ports = json.loads(await process.stdout.readline())
    return child, {f"BREVDUVA_SANDBOX__{name.upper()}": str(port) for name, port in ports.items()}


async def _keep_alive(child: Child, stop: asyncio.Event) -> None:
    """Wait for the process to end; start it again unless everything is stopping."""
    while True:
        process = child.process or await child.start()
        code = await process.wait()
        if stop.is_set():
            return
        child.note_death()
        log.error("a process ended and is started again", name=child.name, code=code, in_seconds=child.pause_seconds())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), child.pause_seconds())
        if stop.is_set():
            return
        child.process = None


async def _watch(children: Sequence[Child], hangs_after_seconds: float) -> None:
    """Kill a process that hangs: what it holds becomes free, and it is started again."""
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        for child in children:
            if child.module != _SANDBOX_MODULE and child.hangs(hangs_after_seconds):
                log.error("a process hangs and is killed", name=child.name, silent_seconds=child.silent_seconds())
                child.signal(signal.SIGKILL)
                child.touch()


async def _drain(children: Sequence[Child]) -> None:
    """Let every process finish what it has begun; kill what has not ended in time."""
    _signal_all(children, signal.SIGTERM)
    running = [child.process.wait() for child in children if child.process]
    if running:
        done = asyncio.gather(*running)
        try:
            await asyncio.wait_for(done, _DRAIN_SECONDS)
        except TimeoutError:
            _signal_all(children, signal.SIGKILL)


def _listen_for_signals(stop: asyncio.Event, children: Sequence[Child]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, _signal_all, children, signal.SIGHUP)


def _signal_all(children: Sequence[Child], number: signal.Signals) -> None:
    for child in children:
        child.signal(number)
