"""The demo is quieter than the service: what it sets for its whole process ends with the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """The log speaks again in the tests that follow."""
    yield
    structlog.reset_defaults()
