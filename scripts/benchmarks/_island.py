"""Runs a benchmark on an island: a network and a /usr of its own, where real mail servers may have their ports."""

from __future__ import annotations

import subprocess
import sys
from tempfile import TemporaryDirectory

from tests.mta.island import UNSHARE, what_is_missing

ON_ISLAND = "--on-island"
"""The argument by which a benchmark knows that it is there; it names a folder for the island's own files."""


def go_to_island(name: str) -> bool:
    """Run this benchmark anew on an island, with the same arguments; False where there can be none, and says why."""
    if missing := what_is_missing():
        print(f"Brevduva alone: {missing}")
        return False
    with TemporaryDirectory(prefix="bench-island-") as folder:  # its mounts are gone with the island
        command = [*UNSHARE, sys.executable, "-m", "scripts.benchmarks", name, *sys.argv[1:], ON_ISLAND, folder]
        code = subprocess.run(command, check=False).returncode
    sys.exit(code)
