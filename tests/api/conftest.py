"""A web application over a fresh database: on SQLite for most tests, on both where SQL is what is tried."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.store.database import Database
from tests.api.world import World


@pytest.fixture
async def world(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[World]:
    path = tmp_path / "brevduva.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield World.make(database, tmp_path)
    await database.close()


@pytest.fixture
def world_on_both(database: Database, tmp_path: Path) -> World:
    return World.make(database, tmp_path)
