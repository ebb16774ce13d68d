"""Requests made up from the published description: whatever they are, the service answers and does not break."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok

from admin_api import openapi
from admin_api.app import API
from engine.store.database import Database
from tests.api.asking import BY_NAME
from tests.api.world import BASE, Club, World

_EXAMPLES = 4
_WOULD_LOCK_US_OUT = BY_NAME["keys.revoke"]

_bounded = settings(
    max_examples=_EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True)
class Served:
    """The application on a real port, and a key and a club to ask it about."""

    address: str
    key: str
    club: Club


def test_random_requests_find_no_server_error(sqlite_template: Path, tmp_path: Path) -> None:
    shutil.copy(sqlite_template, tmp_path / "brevduva.db")
    table = [endpoint for endpoint in API if endpoint is not _WOULD_LOCK_US_OUT]
    schema = schemathesis.openapi.from_dict(openapi.describe(table, BASE))
    with _serving(tmp_path) as served:
        operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
        assert len(operations) == len(table)
        for operation in operations:
            _ask_at_random(operation, served)


def _ask_at_random(operation: schemathesis.APIOperation[Any, Any, Any, Any], served: Served) -> None:
    @_bounded
    @given(case=operation.as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        known = {name: number for name, number in served.club.numbers().items() if name in case.path_parameters}
        case.path_parameters = {**case.path_parameters, **known}
        answer = case.call(base_url=served.address, headers={"Authorization": f"Bearer {served.key}"})
        assert answer.status_code < 500, f"{operation.method} {operation.path}: {answer.text}"
        assert answer.status_code != 401

    ask()


@contextmanager
def _serving(folder: Path) -> Iterator[Served]:
    """Serve from a thread of its own: the made-up requests come from a blocking client."""
    ready: list[Served] = []
    is_ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        database = Database(f"sqlite:///{folder / 'brevduva.db'}")
        world = World.make(database, folder)
        server = uvicorn.Server(uvicorn.Config(world.app, log_level="critical", lifespan="off"))
        with socket.create_server(("127.0.0.1", 0)) as listening:
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            ready.append(Served(address, await world.installation_key(), await world.club("Sjövik")))
            task = asyncio.create_task(server.serve(sockets=[listening]))
            is_ready.set()
            await asyncio.to_thread(stop.wait)
            server.should_exit = True
            await task
        await database.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert is_ready.wait(timeout=30)
    yield ready[0]
    stop.set()
    thread.join()
