"""Runs a benchmark on an island: a network and a /usr of its own, where real mail servers may have their ports."""

from __future__ import annotations

import subprocess
import sys

from tests.mta.island import UNSHARE, what_is_missing

ON_ISLAND = "--on-island"
"""The argument by which a benchmark knows that it is there."""


def go_to_island(name: str) -> bool:
    """Run this benchmark anew on an island, with the same arguments; False where there can be none, and says why."""
    if missing := what_is_missing():
        print(f"Brevduva alone: {missing}")
        return False
    command = [*UNSHARE, sys.executable, "-m", "scripts.benchmarks", name, *sys.argv[1:], ON_ISLAND]
    sys.exit(subprocess.run(command, check=False).returncode)
