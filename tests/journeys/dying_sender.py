"""`python -m tests.journeys.dying_sender POINT…`: senders that die, one after the other, each at a point of its own.

The process is cut off there as by a power cut: nothing is closed, nothing is written. Prints how each one ended.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

from sqlalchemy import event

from config.settings import Settings, read_settings
from engine import outbound
from engine.clock import SystemClock
from engine.deliver.conversation import Conversation
from engine.outbound import Outbound
from engine.outcome import apply
from engine.store import messages, moves, queue
from engine.store.database import Database
from engine.store.migrate import migrate
from tests.journeys.town import town_keys

DIED = 9
_SECONDS_TO_LIVE = 20


def die(*_: object, **__: object) -> Any:  # stands in for functions of every kind
    os._exit(DIED)


async def die_too(*_: object, **__: object) -> Any:  # the same for coroutines
    os._exit(DIED)


def after(function: Callable[..., Any]) -> Callable[..., Any]:
    def run_and_die(*arguments: object, **names: object) -> None:
        function(*arguments, **names)
        os._exit(DIED)

    return run_and_die


def after_awaiting(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def run_and_die(*arguments: object, **names: object) -> None:
        await function(*arguments, **names)
        os._exit(DIED)

    return run_and_die


GIVEN_BACK = "when mail is given back"
POINTS: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "inside the claim": (queue, "_book", after_awaiting(queue._book)),
    "after the claim": (Outbound, "_start", die),
    "after MAIL": (Conversation, "_hear_mail", die),
    "after RCPT": (Conversation, "_hear_rcpt", die),
    "after DATA": (Conversation, "_hear_data", die),
    "after the dot": (Conversation, "_send_content", after(Conversation._send_content)),
    "at the answer to the dot": (Conversation, "_hear_dot", die),
    "before outcomes are written": (Outbound, "_write", die_too),
    "inside the writing, after the moves": (messages, "write_moves", after_awaiting(moves.write_moves)),
    "inside the writing, after everything": (outbound, "apply_attempts", after_awaiting(apply.apply_attempts)),
    "after outcomes are written": (Outbound, "_write", after_awaiting(Outbound._write)),
    GIVEN_BACK: (queue, "release", after_awaiting(queue.release)),
}
"""Where a sender dies: the thing that is replaced, its name there, and what is done instead."""


IN_A_MIGRATION = "inside a migration"
_STATEMENTS_BEFORE_DEATH = 25


async def _send(settings: Settings) -> None:
    sender = Outbound(settings, Database(settings.storage.url), SystemClock(), town_keys())
    async with asyncio.timeout(_SECONDS_TO_LIVE):
        await sender.run_forever(asyncio.Event())


async def _migrate(settings: Settings) -> None:
    """Make the schema as far as the table of some statement."""
    database, statements = Database(settings.storage.url), count(1)

    def die_in_the_middle(*_: object) -> None:
        if next(statements) > _STATEMENTS_BEFORE_DEATH:
            os._exit(DIED)

    event.listen(database.engine.sync_engine, "before_cursor_execute", die_in_the_middle)
    await migrate(database)


def _die_at(point: str) -> int:
    """Let one sender live until it comes to the point; returns how it ended."""
    child = os.fork()
    if not child:
        settings = read_settings()
        if point != IN_A_MIGRATION:
            setattr(*POINTS[point])
        asyncio.run(_migrate(settings) if point == IN_A_MIGRATION else _send(settings))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for name in sys.argv[1:]:
        sys.stdout.write(f"{_die_at(name)} {name}\n")
        sys.stdout.flush()
