"""Commands that add: associations, people, keys, and a register from a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import InvalidInput
from engine.passwords import SHORTEST_PASSWORD, hash_password
from engine.register import associations, imports
from engine.shell.app import Json, Shell, app, existing_file, run
from engine.shell.output import console, show
from engine.store import api_keys, users

association_app = typer.Typer(help="Associations.", no_args_is_help=True)
user_app = typer.Typer(help="People who log in.", no_args_is_help=True)
key_app = typer.Typer(help="Keys to the API.", no_args_is_help=True)
app.add_typer(association_app, name="association")
app.add_typer(user_app, name="user")
app.add_typer(key_app, name="key")

Slug = Annotated[str, typer.Option("--association", help="The association's short name; none means an operator.")]


@association_app.command("add")
def association_add(name: str) -> None:
    """Add an association."""
    made = run(lambda shell: _add_association(shell, name))
    console.print(f"{name}: its short name is {made}", markup=False)


@user_app.command("add")
def user_add(
    email: str,
    name: Annotated[str, typer.Option("--name", help="As members shall read it.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="BREVDUVA_PASSWORD")],
    association: Slug = "",
) -> None:
    """Add a person who may log in."""
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInput("password", f"the password is too short; give at least {SHORTEST_PASSWORD} characters")
    run(lambda shell: _add_user(shell, email, name, password, association))
    console.print(f"{email} may log in.", markup=False)


@key_app.command("add")
def key_add(name: str, association: Slug = "") -> None:
    """Make a key to the API; it is printed this once and never again."""
    console.print(run(lambda shell: _add_key(shell, name, association)), highlight=False, markup=False)


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
        console.print(", ".join(f"{name} {count}" for name, count in report.counts.items()), markup=False)


async def _add_association(shell: Shell, name: str) -> str:
    async with shell.database.write() as connection:
        return (await associations.create(connection, name, shell.clock.now())).slug


async def _add_user(shell: Shell, email: str, name: str, password: str, slug: str) -> None:
    password_hash = await asyncio.to_thread(hash_password, password)
    async with shell.database.write() as connection:
        association_id = (await associations.by_slug(connection, slug)).id if slug else None
        await users.create(
            connection, association_id, name=name, email=email, password_hash=password_hash, now=shell.clock.now()
        )


async def _add_key(shell: Shell, name: str, slug: str) -> str:
    async with shell.database.write() as connection:
        association_id = (await associations.by_slug(connection, slug)).id if slug else None
        _, token = await api_keys.create(connection, association_id, name, shell.clock.now())
        return token


async def _import(shell: Shell, file: Path, slug: str) -> imports.ImportReport:
    content = await asyncio.to_thread(file.read_bytes)
    sheet = await asyncio.to_thread(imports.read_register, content, file.name)
    async with shell.database.write() as connection:
        association = await associations.by_slug(connection, slug)
        return await imports.import_register(connection, association.id, sheet, shell.clock.now())
