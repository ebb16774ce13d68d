"""`python -m engine.sandbox`: the box as a process of its own, where nobody has configured a real internet.

Says on its first line which ports it has. Everyone confirms after a minute or so and then follows their character,
which a tag in the address chooses: `ida+complains@norrpost.example`. Ends on SIGTERM.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import httpx
import orjson

from config.settings import Settings, read_settings
from engine.clock import SystemClock
from engine.sandbox.browser import Browser
from engine.sandbox.characters import BY_NAME, Character
from engine.sandbox.internet import Internet, Ports
from engine.sandbox.mailboxes import Directory
from engine.sandbox.people import make_people
from engine.sandbox.postman import Postman
from engine.sandbox.world import World

_PACE = 1 / 600
_SEED = 1
_LOG_NAME = "sandbox-receipts.jsonl"


async def stand(settings: Settings) -> None:
    """Keep the box up until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    settings.storage.data_dir.mkdir(parents=True, exist_ok=True)
    base_url = str(settings.web.base_url)
    async with httpx.AsyncClient() as client:
        clock = SystemClock()
        world = World(
            clock, Postman(settings.receiving.host, settings.receiving.port), Browser(client, base_url), pace=_PACE
        )
        internet = Internet(clock, _directory(settings), world, settings.storage.data_dir / _LOG_NAME, hospitable=True)
        world.confirmed = internet.mailboxes.turn
        ports = await internet.open(Ports(settings.sandbox.dns_port, settings.sandbox.smtp_port))
        sys.stdout.buffer.write(orjson.dumps(ports) + b"\n")
        sys.stdout.buffer.flush()
        living = asyncio.create_task(world.live())
        await stop.wait()
        living.cancel()
        await internet.close()


def _directory(settings: Settings) -> Directory:
    """The people of the demo by their addresses, everyone else by the tag in theirs."""
    residents = make_people(settings.sandbox.members, _SEED).residents

    def find(recipient: str) -> Character | None:
        tag = recipient.rpartition("@")[0].partition("+")[2]
        return residents.get(recipient) or BY_NAME.get(tag, BY_NAME["reads"])

    return find


if __name__ == "__main__":
    asyncio.run(stand(read_settings()))
