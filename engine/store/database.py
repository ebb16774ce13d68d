"""One code for SQLite and PostgreSQL: open it, read from it, write to it in one transaction."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

Connection = AsyncConnection

_BUSY_SECONDS = 30
_IDLE_TRANSACTION_SECONDS = 10
"""PostgreSQL ends a transaction that says nothing for so long: a process that hangs in one would hold its rows."""
_POSTGRESQL_DISK_FULL = "53100"
_PAGES_IN_THE_LOG = 8000
"""SQLite's log of changes, synced at each commit, is worked into the file every 32 MB: a page is written there once for
many changes. SQLite's own 1,000 pages cost the sender a tenth of its time beside the signatures."""

TROUBLE = (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What opening a database raises where it is away, is none, or does not let us in."""


class Database:
    """The store's door: `read()` gives a snapshot, `write()` one transaction that commits at the end or not at all.

    On SQLite there is one writer at a time: `write()` takes the lock with BEGIN IMMEDIATE, after waiting its turn
    among the tasks of this process, so that waiting costs no thread.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._turn = asyncio.Lock()
        self.engine = _sqlite_engine(self) if self.is_sqlite else _postgresql_engine(self, pool_size)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading; on SQLite it never waits for a writer (WAL)."""
        async with self.engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: everything in it is committed and synced when the block ends, or nothing is."""
        if not self.is_sqlite:
            async with self.engine.begin() as connection:
                yield connection
            return
        async with self._turn, self.engine.connect() as connection:
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            await connection.commit()

    async def close(self) -> None:
        await self.engine.dispose()


def _sqlite_engine(database: Database) -> AsyncEngine:
    url = database.url.set(drivername="sqlite+aiosqlite")
    engine = create_async_engine(
        url,
        json_serializer=_to_json,
        json_deserializer=orjson.loads,
        connect_args={"isolation_level": None, "timeout": _BUSY_SECONDS},
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _postgresql_engine(database: Database, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        database.url.set(drivername="postgresql+asyncpg"),
        json_serializer=_to_json,
        json_deserializer=orjson.loads,
        pool_size=pool_size,
        pool_pre_ping=True,
        connect_args={"server_settings": {"idle_in_transaction_session_timeout": f"{_IDLE_TRANSACTION_SECONDS}s"}},
        hide_parameters=True,
    )


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Durable and concurrent: WAL, every commit synced, foreign keys held."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536", "temp_store=MEMORY"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.execute(f"PRAGMA wal_autocheckpoint={_PAGES_IN_THE_LOG}")
    cursor.close()


def is_storage_full(error: BaseException) -> bool:
    """Whether an accident means that the disk has no room left, whichever database says so."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, OSError):
        return cause.errno in (errno.ENOSPC, errno.EDQUOT)
    full = "database or disk is full" in str(cause)
    return full or getattr(cause, "sqlstate", None) == _POSTGRESQL_DISK_FULL
