"""What every test may ask for: a fresh database, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import NoReturn

import pytest

from engine.store.database import Database
from engine.store.migrate import migrate
from tests.postgresql import Cluster, find_binaries, running_cluster

_TEMPLATE = "brevduva_template"
_numbers = count(1)


def pytest_configure() -> None:
    """A run that is told to end stops its servers, as it does after Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """One cluster a session; its template database is migrated, and every test copies it."""
    binaries = find_binaries()
    if binaries is None:
        not_run("PostgreSQL is not installed: nothing was run on it (apt-get install postgresql)")
    with running_cluster(binaries, durable=False) as cluster:
        asyncio.run(_in_postgres(cluster, f"CREATE DATABASE {_TEMPLATE}"))
        asyncio.run(_migrate(cluster.url(_TEMPLATE)))
        yield cluster


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One migrated file a session; every test copies it."""
    path = tmp_path_factory.mktemp("template") / "brevduva.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh migrated database, for tests that open it themselves or from other processes."""
    if request.param == "sqlite":
        path = tmp_path / "brevduva.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    cluster: Cluster = request.getfixturevalue("postgresql")
    name = f"test_{next(_numbers)}"
    asyncio.run(_in_postgres(cluster, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}"))
    yield cluster.url(name)
    asyncio.run(_in_postgres(cluster, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh migrated database, once on SQLite and once on PostgreSQL."""
    opened = Database(database_url)
    yield opened
    await opened.close()


def not_run(why: str) -> NoReturn:
    """Name what could not be run; under CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


async def _in_postgres(cluster: Cluster, statement: str) -> None:
    """Run one statement outside any transaction in the cluster's own database."""
    import asyncpg

    connection = await asyncpg.connect(cluster.url("postgres"))
    await connection.execute(statement)
    await connection.close()


async def _migrate(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await database.close()
