"""The pages over a fresh database, and somebody to visit them."""

from __future__ import annotations

from tests.api.conftest import world, world_on_both

__all__ = ["world", "world_on_both"]
