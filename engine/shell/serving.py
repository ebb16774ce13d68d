"""Commands that run the service or one of its parts."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from config.settings import Settings, read_settings
from config.vocabulary import ServiceRole
from engine.keys import load_keys, rotate_tokens
from engine.queue.custody import Custody
from engine.shell.app import Json, Shell, app, run
from engine.shell.doors import check_doors
from engine.shell.output import say, show
from engine.shell.records import dkim_records, print_records
from engine.store import operations
from engine.supervisor import supervise


@app.command()
def serve(
    roles: Annotated[list[ServiceRole] | None, typer.Argument(help="web, send, receive; none named means all.")] = None,
) -> None:
    """Run the service until it is told to stop; without a configuration in the sandbox, where no packet leaves."""
    _serve(read_settings(), roles or list(ServiceRole), {})


@app.command()
def sandbox() -> None:
    """Run the whole service in the internet in a box, whatever the configuration says of sending."""
    _serve(read_settings(sending={"mode": "sandbox"}), list(ServiceRole), {"BREVDUVA_SENDING__MODE": "sandbox"})


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema; safe to repeat."""
    run(_prepare)
    say("The database has the schema of this version.")


@app.command()
def release() -> None:
    """Let mail leave from this database though it is a restored backup or a copy."""
    run(_release)
    say("Mail leaves from this database again; a waiting sender begins within a few seconds.")


@app.command()
def nodes(as_json: Json = False) -> None:
    """Show the processes of the service and when each was last heard of."""
    show(run(_nodes), as_json=as_json, empty="No process has reported; start one with: brevduva serve")


@app.command()
def keys(
    as_json: Json = False,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Sign with a new token key; old tokens still verify.")
    ] = False,
) -> None:
    """Print the DNS records that publish our DKIM keys, to copy; keys that are missing are made."""
    settings = read_settings()
    if rotate:
        rotate_tokens(settings.storage.secrets_dir)
    domain = settings.sending.sender_address.rpartition("@")[2]
    print_records([*dkim_records(domain, load_keys(settings).dkim)], as_json=as_json)


def _serve(settings: Settings, roles: list[ServiceRole], environment: dict[str, str]) -> None:
    """Make everything ready, say where it is served, and run until told to stop."""
    run(_prepare)
    check_doors(settings, roles)
    say(f"Brevduva ({settings.sending.mode}) at {settings.web.base_url}")
    asyncio.run(supervise(settings, roles, environment))


async def _prepare(shell: Shell) -> None:
    """`run` has migrated; make the secrets before several processes want them at once."""
    load_keys(shell.settings)


async def _release(shell: Shell) -> None:
    load_keys(shell.settings)
    await Custody(shell.settings.storage.secrets_dir, shell.database).release(shell.clock.now())


async def _nodes(shell: Shell) -> list[dict[str, object]]:
    async with shell.database.read() as connection:
        known = await operations.nodes(connection)
    return [{"name": node.name, "role": node.role, "host": node.host, "seen_at": node.seen_at} for node in known]
