"""Commands that add: associations, people, keys, and a register from a file."""

from __future__ import annotations

import asyncio
import sys
from getpass import getpass
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import InvalidInput
from engine.passwords import SHORTEST_PASSWORD, hash_password
from engine.register import associations, imports, people
from engine.register.associations import Association
from engine.register.texts import required
from engine.shell.app import Json, Shell, app, existing_file, run
from engine.shell.naming import association_named
from engine.shell.output import Row, say, show, write
from engine.store import api_keys

association_app = typer.Typer(help="Associations.", no_args_is_help=True)
user_app = typer.Typer(help="People who log in.", no_args_is_help=True)
key_app = typer.Typer(help="Keys to the API.", no_args_is_help=True)
app.add_typer(association_app, name="association")
app.add_typer(user_app, name="user")
app.add_typer(key_app, name="key")

_LONGEST_NAME = 100

Slug = Annotated[str, typer.Option("--association", help="The association's short name; none means an operator.")]


@association_app.command("add")
def association_add(name: str) -> None:
    """Add an association."""
    made = run(lambda shell: _add_association(shell, name))
    say(f"{made.name}: its short name is {made.slug}")


@association_app.command("list")
def association_list(as_json: Json = False) -> None:
    """The associations and their short names."""
    rows = run(_list_associations)
    show(rows, as_json=as_json, empty="There is none yet; add one with: brevduva association add NAME")


@user_app.command("add")
def user_add(
    email: str,
    name: Annotated[str, typer.Option("--name", help="As members shall read it.")],
    password: Annotated[
        str, typer.Option("--password", envvar="BREVDUVA_PASSWORD", help="Asked for where it is not given.")
    ] = "",
    association: Slug = "",
) -> None:
    """Add a person who may log in."""
    password = password or _ask_password()
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInput("password", f"the password is too short; give at least {SHORTEST_PASSWORD} characters")
    run(lambda shell: _add_user(shell, email, name, password, association))
    of = "" if association else ", as an operator of the whole installation"
    say(f"{email} may log in{of}.")


@key_app.command("add")
def key_add(name: str, association: Slug = "") -> None:
    """Make a key to the API; it is printed this once and never again."""
    write(run(lambda shell: _add_key(shell, name, association)))


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX.", callback=existing_file)],
    association: Annotated[str, typer.Option("--association", help="The association's short name.")],
    as_json: Json = False,
) -> None:
    """Take a register in from a file, and report on every row that needs a look."""
    report = run(lambda shell: _import(shell, file, association))
    rows = [
        {"row": row.row_number, "outcome": row.outcome.value, "field": finding.field, "what": finding.message}
        | {"suggestion": finding.suggestion or ""}
        for row in report.rows
        for finding in row.findings
    ]
    show(rows, as_json=as_json, title="Rows that need a look", empty="Every row was in order.")
    if not as_json:
        say(", ".join(f"{name} {count}" for name, count in report.counts.items()))


def _ask_password() -> str:
    """Ask at the terminal; where there is none, the first line of what is piped in."""
    if sys.stdin.isatty():
        return getpass("Password: ")
    return sys.stdin.readline().rstrip("\r\n")


async def _add_association(shell: Shell, name: str) -> Association:
    async with shell.database.write() as connection:
        return await associations.create(connection, name, shell.clock.now())


async def _list_associations(shell: Shell) -> list[Row]:
    async with shell.database.read() as connection:
        known = await associations.listing(connection)
    return [{"id": one.id, "short_name": one.slug, "name": one.name} for one in known]


async def _add_user(shell: Shell, email: str, name: str, password: str, slug: str) -> None:
    password_hash = await asyncio.to_thread(hash_password, password)
    async with shell.database.write() as connection:
        association_id = (await association_named(connection, slug)).id if slug else None
        await people.add(
            connection, association_id, name=name, email=email, password_hash=password_hash, now=shell.clock.now()
        )


async def _add_key(shell: Shell, name: str, slug: str) -> str:
    async with shell.database.write() as connection:
        association_id = (await association_named(connection, slug)).id if slug else None
        tidy = required("name", name, _LONGEST_NAME)
        return (await api_keys.create(connection, association_id, tidy, shell.clock.now()))[1]


async def _import(shell: Shell, file: Path, slug: str) -> imports.ImportReport:
    content = await asyncio.to_thread(file.read_bytes)
    sheet = await asyncio.to_thread(imports.read_register, content, file.name)
    async with shell.database.read() as connection:
        association = await association_named(connection, slug)
    plan = await imports.plan_import(shell.database, association.id, sheet)
    async with shell.database.write() as connection:
        return await imports.import_register(connection, plan, shell.clock.now())
