"""Serves the pages and the API within the demo's own process, so that they share its clock."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from admin_api.app import create_app
from config.settings import Settings
from engine.clock import Clock
from engine.keys import Keys
from engine.store.database import Database


def bind_socket() -> socket.socket:
    """A listening socket on loopback at a port that the system chose; who comes before the server waits in line."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen()
    return bound


@asynccontextmanager
async def serve_web(
    door: socket.socket, settings: Settings, database: Database, clock: Clock, keys: Keys
) -> AsyncIterator[None]:
    """Serve at a bound socket while the block lasts."""
    application = create_app(settings, database, clock, keys)
    server = _Server(uvicorn.Config(application, log_level="warning", access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[door]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """A server that leaves signals to the demo."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
