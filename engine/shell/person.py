"""`brevduva person`: what the law gives a member: everything about them in one step, and to be forgotten."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.keys import load_keys
from engine.register.addresses import key_of
from engine.return_path import hide_address
from engine.shell.app import Shell, app, run
from engine.shell.output import say, to_json, write
from engine.store.erasure import erase, scrub
from engine.store.person import Facts, facts_about

person_app = typer.Typer(help="A member's rights.", no_args_is_help=True)
app.add_typer(person_app, name="person")

Address = Annotated[str, typer.Argument(help="The member's e-mail address.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@person_app.command("export")
def person_export(address: Address) -> None:
    """Print everything about a person, of every association, as JSON."""
    key = key_of(address)
    write(to_json(run(lambda shell: export(shell, key))))


@person_app.command("erase")
def person_erase(address: Address, yes: Yes = False) -> None:
    """Erase a person from every register; nothing is sent to the address any more, which only a keyed hash knows."""
    key = key_of(address)
    if not yes:
        typer.confirm(f"Erase {address} with everything that was sent to it? It cannot be taken back", abort=True)
    cards = run(lambda shell: forget(shell, key))
    say(f"{cards} cards were erased, and nothing more is sent to the address.")


async def export(shell: Shell, address_key: str) -> Facts:
    async with shell.database.read() as connection:
        return await facts_about(connection, address_key)


async def forget(shell: Shell, address_key: str) -> int:
    hidden = hide_address(load_keys(shell.settings).ring, address_key)
    async with shell.database.write() as connection:
        cards = await erase(connection, address_key, hidden, shell.clock.now())
    await scrub(shell.database)
    return cards
