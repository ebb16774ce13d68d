"""The migrations make exactly the schema that the code believes in."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text

from engine.store.database import Database
from engine.store.migrate import migrate
from engine.store.tables import metadata


async def test_the_migrated_schema_is_the_one_in_tables(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


def test_sqlite_gets_the_very_same_statements_from_both(tmp_path: Path) -> None:
    """`compare_metadata` is blind to partial indexes and to AUTOINCREMENT; the stored statements are not."""
    migrated, created = tmp_path / "migrated.db", tmp_path / "created.db"
    asyncio.run(_migrate(migrated))
    metadata.create_all(create_engine(f"sqlite:///{created}"))
    assert _schema(migrated) == _schema(created)


async def test_processes_that_start_together_migrate_once(tmp_path: Path) -> None:
    databases = [Database(f"sqlite:///{tmp_path / 'fresh.db'}") for _ in range(3)]
    await asyncio.gather(*(migrate(database) for database in databases))
    async with databases[0].read() as connection:
        versions = await connection.execute(text("SELECT version_num FROM alembic_version"))
        assert len(versions.all()) == 1
    for database in databases:
        await database.close()


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    await migrate(database)
    async with database.read() as connection:
        assert "message" in await connection.run_sync(lambda c: inspect(c).get_table_names())


async def _migrate(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    await migrate(database)
    await database.close()


def _schema(path: Path) -> set[str]:
    with create_engine(f"sqlite:///{path}").connect() as connection:
        rows = connection.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")).scalars()
        return {" ".join(sorted(sql.replace(",", " ").split())) for sql in rows if "alembic_version" not in sql}
