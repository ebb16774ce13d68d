"""`python -m admin_api`: serve the pages and the API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from admin_api.app import create_app
from config.vocabulary import ServiceRole
from engine.wiring import Process, run_process

_DRAIN_SECONDS = 20
_MOST_REQUESTS_AT_ONCE = 500


class Server(uvicorn.Server):
    """uvicorn, which leaves the signals to the process that it runs in."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(process: Process) -> None:
    """Answer until the process is to stop, then finish what is under way."""
    server = make_server(process)
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(process.stop.wait())
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving


def make_server(process: Process) -> Server:
    """The server as the settings say; no proxy's word is taken for anything, since links never come from a request."""
    web = process.settings.web
    return Server(
        uvicorn.Config(
            create_app(process.settings, process.database, process.clock, process.keys),
            host=web.host,
            port=web.port,
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
            limit_concurrency=_MOST_REQUESTS_AT_ONCE,
            lifespan="off",
        )
    )


if __name__ == "__main__":
    run_process(ServiceRole.WEB, serve)
