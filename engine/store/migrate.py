"""Bring a database to the schema of this code; safe to call from every process at every start."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from engine.errors import BrevduvaError
from engine.store.database import Database

_LOCK = 0x62726576  # PostgreSQL's advisory lock of our migrations: "brev"


async def migrate(database: Database) -> None:
    """Run every step not yet run, all of them in one transaction; who comes second waits and finds nothing to do.

    Raises BrevduvaError where the database has taken steps that this code does not know.
    """
    async with database.write() as connection:
        if not database.is_sqlite:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        cure = "start that version, or restore the backup made before it"
        raise BrevduvaError(f"the database was made by a later version of Brevduva ({error}); {cure}") from None
