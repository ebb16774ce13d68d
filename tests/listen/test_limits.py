"""The ceilings a process of its own is bound to."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> str:
    """Run a few lines in a process of their own; returns what they print."""
    lines = "import resource\nfrom engine.listen.limits import confine_process\n" + code
    return subprocess.run([sys.executable, "-c", lines], capture_output=True, check=True, text=True).stdout.strip()


def test_a_confined_process_cannot_grow_beyond_its_ceiling() -> None:
    assert run("confine_process(200_000_000)\ntry: bytearray(300_000_000)\nexcept MemoryError: print('no')") == "no"


def test_a_lower_ceiling_in_force_stays() -> None:
    code = "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))\nconfine_process()\n"
    assert run(code + "print(resource.getrlimit(resource.RLIMIT_NOFILE))") == "(100, 200)"
