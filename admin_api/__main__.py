"""`python -m admin_api`: serve the pages and the API."""

from __future__ import annotations

import uvicorn

from admin_api.app import create_app
from config.settings import Settings, read_settings
from engine.clock import SystemClock
from engine.keys import load_keys
from engine.store.database import Database

_DRAIN_SECONDS = 20


def make_server(settings: Settings) -> uvicorn.Server:
    """The server as the settings say; proxies are trusted for nothing, since links never come from a request."""
    database = Database(settings.storage.url)
    app = create_app(settings, database, SystemClock(), load_keys(settings))
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.web.host,
            port=settings.web.port,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
            limit_concurrency=500,
        )
    )


def main() -> None:
    make_server(read_settings()).run()


if __name__ == "__main__":
    main()
