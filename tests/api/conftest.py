"""A web application over a fresh database."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.store.database import Database
from tests.api.world import World


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World.make(database, tmp_path)
