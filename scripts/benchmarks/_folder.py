"""Where a turn keeps its queue and database: on the disk that is measured, and gone with the turn."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = "var"
"""Where folders are made unless another place is named: git looks away from it."""


@contextmanager
def fresh_folder(within: Path) -> Iterator[Path]:
    """An empty folder; others than its owner may pass through, as mail servers must."""
    within.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=within)).absolute()
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
