"""Everything the demo needs, set up in one process around one clock: box, store, both journeys, web."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from config.settings import Settings, read_settings
from engine.clock import HandClock
from engine.inbound import Inbound
from engine.keys import Keys, load_keys
from engine.outbound import Outbound
from engine.sandbox.browser import Browser
from engine.sandbox.internet import Internet
from engine.sandbox.people import People
from engine.sandbox.postman import Postman
from engine.sandbox.world import World
from engine.store import api_keys
from engine.store.database import Database
from engine.store.migrate import migrate
from scripts.demonstration.web import bind_socket, serve_web

START = datetime(2026, 1, 12, 8, tzinfo=UTC)

TIMEOUTS_SECONDS = {
    "connect": 5.0,
    "banner": 0.25,
    "command": 30.0,
    "data": 30.0,
    "data_block": 30.0,
    "final_dot": 30.0,
}
"""A receiver that never greets is waited for in real time, so the wait is short; the rest allow for a slow machine."""

_HTTP_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Stage:
    """What stands ready."""

    clock: HandClock
    keys: Keys
    database: Database
    internet: Internet
    world: World
    inbound: Inbound
    outbound: Outbound
    api: httpx.AsyncClient
    base_url: str
    receipts: Path


@asynccontextmanager
async def set_stage(people: People, folder: Path) -> AsyncIterator[Stage]:
    """Open everything, in the order in which each needs the other, and close it in the opposite one."""
    async with AsyncExitStack() as stack:
        clock, door = HandClock(START), bind_socket()
        base_url = f"http://127.0.0.1:{door.getsockname()[1]}"
        settings = _settings(folder, base_url)
        keys = load_keys(settings)
        database = await _open_database(settings, stack)
        inbound = Inbound(settings, database, clock, keys)
        stack.push_async_callback(inbound.close)
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=_HTTP_SECONDS))
        world = World(clock, Postman("127.0.0.1", await inbound.start()), Browser(client, base_url))
        receipts = folder / "receipts.jsonl"
        internet = Internet(clock, people.residents.get, world, receipts, synced=False)
        ports = await internet.open()
        stack.push_async_callback(internet.close)
        reached = _settings(folder, base_url, dns_port=ports.dns_port, smtp_port=ports.smtp_port)
        outbound = Outbound(reached, database, clock, keys)
        stack.push_async_callback(outbound.close)
        await stack.enter_async_context(serve_web(door, reached, database, clock, keys))
        api = await stack.enter_async_context(await _open_api(database, clock, base_url))
        yield Stage(clock, keys, database, internet, world, inbound, outbound, api, base_url, receipts)


async def _open_database(settings: Settings, stack: AsyncExitStack) -> Database:
    database = Database(settings.storage.url)
    stack.push_async_callback(database.close)
    await migrate(database)
    return database


def _settings(folder: Path, base_url: str, **sandbox: int) -> Settings:
    return read_settings(
        sending={"mode": "sandbox"},
        timeouts=TIMEOUTS_SECONDS,
        receiving={"host": "127.0.0.1", "port": 0},
        web={"base_url": base_url},
        storage={"data_dir": folder, "database_url": ""},
        sandbox=sandbox,
    )


async def _open_api(database: Database, clock: HandClock, base_url: str) -> httpx.AsyncClient:
    """A client of the API with a key for the whole installation."""
    async with database.write() as connection:
        _, token = await api_keys.create(connection, None, "demo", clock.now())
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=f"{base_url}/api/v1", headers=headers, timeout=_HTTP_SECONDS)
