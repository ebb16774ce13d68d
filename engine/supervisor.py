"""Starts each role as a process of its own, starts it again when it dies, and lets all of them finish on SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from config.settings import Settings

_DRAIN_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 30.0

log = structlog.get_logger()


class ServiceRole(StrEnum):
    """What a process of the service does."""

    WEB = "web"
    SEND = "send"
    RECEIVE = "receive"


_MODULE = {ServiceRole.WEB: "admin_api", ServiceRole.SEND: "engine.outbound", ServiceRole.RECEIVE: "engine.inbound"}
_SANDBOX_MODULE = "engine.sandbox"


@dataclass(slots=True)
class Child:
    """One process: how it is started, and how often it has died lately."""

    name: str
    module: str
    environment: dict[str, str]
    process: asyncio.subprocess.Process | None = None
    deaths: int = field(default=0)

    async def start(self, *, read_output: bool = False) -> asyncio.subprocess.Process:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self.module,
            env={**os.environ, **self.environment},
            stdout=asyncio.subprocess.PIPE if read_output else None,
        )
        return self.process

    def pause_seconds(self) -> float:
        """How long to wait before the next start: twice as long after each death."""
        return min(2.0 ** (self.deaths - 1), _LONGEST_PAUSE_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        if self.process and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)


async def supervise(settings: Settings, roles: Sequence[ServiceRole], environment: dict[str, str]) -> None:
    """Run the roles until SIGTERM or SIGINT, then give them 30 s to finish; `environment` is added to each process."""
    stop = asyncio.Event()
    children: list[Child] = []
    if settings.sending.mode == "sandbox":
        sandbox, ports = await _start_sandbox(environment)
        children.append(sandbox)
        environment = {**environment, **ports}
        sandbox.environment = environment
    children += _children(settings, roles, environment)
    _listen_for_signals(stop, children)
    async with asyncio.TaskGroup() as group:
        for child in children:
            group.create_task(_keep_alive(child, stop))
        await stop.wait()
        await _drain(children)


def _children(settings: Settings, roles: Sequence[ServiceRole], environment: dict[str, str]) -> list[Child]:
    senders = settings.sending.senders or os.cpu_count() or 1
    counts = {role: senders if role is ServiceRole.SEND else 1 for role in roles}
    return [Child(f"{role}-{n}", _MODULE[role], environment) for role, count in counts.items() for n in range(count)]


async def _start_sandbox(environment: dict[str, str]) -> tuple[Child, dict[str, str]]:
    """Start the internet in a box; it says on its first line which ports it got."""
    child = Child("sandbox", _SANDBOX_MODULE, environment)
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
        child.deaths += 1
        log.error("a process ended and is started again", name=child.name, code=code, in_seconds=child.pause_seconds())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), child.pause_seconds())
        if stop.is_set():
            return
        child.process = None


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
