"""What both journeys are built with, and how a process that runs one of them lives and ends."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from config.settings import Settings, read_settings
from config.vocabulary import ServiceRole
from engine.clock import Clock, SystemClock
from engine.keys import Keys, load_keys
from engine.outcome.decide import Policy
from engine.queue.retry_schedule import next_attempt
from engine.store import nodes, queue
from engine.store.database import Connection, Database
from engine.store.nodes import Node
from engine.store.trouble import Trouble

BEAT_SECONDS = 1.0
"""How often a process says that it lives."""

DEAD_AFTER = timedelta(seconds=6)
"""A process not heard of for so long is taken for dead, and others do its work."""

_SILENT_AFTER = timedelta(seconds=2.5)

_OBJECTS_BETWEEN_COLLECTIONS = 50_000

SIGN_OF_LIFE = "BREVDUVA_SIGN_OF_LIFE"
"""The environment variable that names the file a process touches again and again while its event loop stirs."""

log = structlog.get_logger("process")


@dataclass(frozen=True, slots=True)
class Process:
    """What a role works with; it ends by itself soon after `stop` is set."""

    settings: Settings
    database: Database
    clock: Clock
    keys: Keys
    node: Node
    stop: asyncio.Event


def policy_of(settings: Settings) -> Policy:
    """What the operator has chosen for the outcomes of attempts and reports."""
    return Policy(
        schedule=next_attempt,
        window=timedelta(days=settings.sending.tries_for_days),
        uncertain=settings.sending.uncertain,
        scope=settings.suppression.scope,
    )


def configure_log(level: str = "info") -> None:
    """Log lines to standard error, escaped; one line an event, as logfmt where nobody watches."""
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.LogfmtRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def run_process(role: ServiceRole, work: Callable[[Process], Awaitable[None]]) -> None:
    """Run one role until SIGTERM or SIGINT."""
    configure_log()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_run(role, work))


async def _run(role: ServiceRole, work: Callable[[Process], Awaitable[None]]) -> None:
    settings, clock, stop = read_settings(), SystemClock(), asyncio.Event()
    loop = asyncio.get_running_loop()
    _spare_the_collector()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the supervisor hands it to every role; who has use for it listens
    database = Database(settings.storage.url)
    node = Node(f"{role}-{secrets.token_hex(6)}", role, socket.gethostname(), os.getpid(), clock.now())
    try:
        async with asyncio.TaskGroup() as group:
            stirring = [group.create_task(_beat(database, node, clock)), group.create_task(_show_life())]
            await work(Process(settings, database, clock, load_keys(settings), node, stop))
            for task in stirring:
                task.cancel()
        async with database.write() as connection:
            await nodes.leave(connection, node.name)
    finally:
        await database.close()


def _spare_the_collector() -> None:
    """What is loaded by now stays, and what a mail leaves behind is hardly ever a cycle: so it is seldom looked for."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)


async def _beat(database: Database, node: Node, clock: Clock) -> None:
    """Say again and again that this process lives; a database that is away is no reason to die.

    What a dead process of this machine had claimed is due at once.
    """
    trouble = Trouble("a heartbeat waits to be written")
    while True:
        try:
            async with database.write() as connection:
                dead = await _find_dead(connection, node.host, clock.now())
                await nodes.forget(connection, dead)
                await queue.end_leases(connection, dead, clock.now())
                await nodes.beat(connection, node, clock.now())
        except Exception as error:  # the next beat may get through
            trouble.note(error)
        else:
            trouble.end()
        await asyncio.sleep(BEAT_SECONDS)


async def _find_dead(connection: Connection, host: str, now: datetime) -> list[str]:
    """The processes of this machine that are written down as alive and are not: their work is free at once.

    They have missed a few beats, too: where two machines bear one name, a number tells nothing of the other's.
    """
    known = await nodes.on_host(connection, host)
    silent = await nodes.on_host(connection, host, seen_before=now - _SILENT_AFTER)
    latest = {node.pid: node.name for node in known}
    return [node.name for node in silent if latest[node.pid] != node.name or not _is_running(node.pid)]


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


async def _show_life() -> None:
    """Touch the file by which the supervisor sees that this process does not hang."""
    name = os.environ.get(SIGN_OF_LIFE)
    while name:
        await asyncio.to_thread(Path(name).touch)
        await asyncio.sleep(BEAT_SECONDS)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415  # absent on some systems; the standard loop does the same, slower
    except ImportError:
        return None
    return uvloop.new_event_loop
