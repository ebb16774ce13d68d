"""The command line that every command is hung on, and what a command works with."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from config.settings import Settings, read_settings
from engine.clock import Clock, SystemClock
from engine.errors import BrevduvaError
from engine.store.database import TROUBLE, Database
from engine.store.migrate import migrate

app = typer.Typer(
    name="brevduva",
    help="Self-hosted mail delivery for associations. Without a configuration everything happens in a sandbox.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"brevduva {metadata.version('brevduva')}")
        raise typer.Exit


@app.callback()
def _brevduva(
    _: Annotated[
        bool, typer.Option("--version", help="Tell the version.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Nothing but `--version` stands before a command."""


Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
T = TypeVar("T")

_ANOTHER_FOLDER = "name another folder as storage.data_dir"

_LAST_WORDS_SECONDS = 0.2
"""How long aiosqlite's thread may take for its last words to the event loop after a failed connection."""


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
    _make_data_dir(settings.storage.data_dir)
    database = Database(settings.storage.url)
    try:
        await _migrate(database)
        return await work(Shell(settings, database, SystemClock()))
    finally:
        await database.close()


def _make_data_dir(folder: Path) -> None:
    """Make the folder where everything is kept, closed to others: it holds the members' register."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise BrevduvaError(f"{folder} cannot be made ({error.strerror}); {_ANOTHER_FOLDER}") from None
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise BrevduvaError(f"{folder} cannot be written in; make it ours, or {_ANOTHER_FOLDER}")


async def _migrate(database: Database) -> None:
    try:
        await migrate(database)
    except TROUBLE as error:
        await asyncio.sleep(_LAST_WORDS_SECONDS)
        where = database.url.render_as_string(hide_password=True)
        why = str(getattr(error, "orig", None) or error)
        raise BrevduvaError(f"{where} cannot be used ({why}); start or mend it, or set storage.database_url") from None


def existing_file(path: Path) -> Path:
    if not path.is_file():
        raise typer.BadParameter(f"{path} is not a file; name one that exists")
    return path
