"""The command line that every command is hung on, and what a command works with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from config.settings import Settings, read_settings
from engine.clock import Clock, SystemClock
from engine.store.database import Database
from engine.store.migrate import migrate

app = typer.Typer(
    name="brevduva",
    help="Self-hosted mail delivery for associations. Without a configuration everything happens in a sandbox.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shell:
    """What a command works with."""

    settings: Settings
    database: Database
    clock: Clock


def run(work: Callable[[Shell], Awaitable[T]]) -> T:
    """Open the database of this installation (made and migrated at need), do the work, close it."""
    return asyncio.run(_run(read_settings(), work))


async def _run(settings: Settings, work: Callable[[Shell], Awaitable[T]]) -> T:
    settings.storage.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.storage.url)
    try:
        await migrate(database)
        return await work(Shell(settings, database, SystemClock()))
    finally:
        await database.close()


def existing_file(path: Path) -> Path:
    if not path.is_file():
        raise typer.BadParameter(f"{path} is not a file; name one that exists")
    return path
