"""What processes and all their children have cost: CPU seconds, ended children included, and memory that they own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def tree(roots: Iterable[int]) -> Iterator[int]:
    """The processes given and everything they have started that still runs."""
    for pid in roots:
        yield pid
        yield from tree(children_of(pid))


def children_of(pid: int) -> list[int]:
    paths = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in paths for child in _read(path).split()]


def cpu_seconds(roots: Iterable[int]) -> float:
    """User and system time since they began."""
    return sum(map(_cpu_seconds, tree(roots)))


def _cpu_seconds(pid: int) -> float:
    """Fields 14 to 17 of proc(5): of the process itself and of the children it has waited for."""
    words = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return sum(map(int, words[11:15])) / _TICKS


def peak_mib(pid: int) -> float:
    """The most that one process has had in memory."""
    return _kib(pid, "status", "VmHWM:") / 1024


def owned_mib(roots: Iterable[int]) -> float:
    """What all of them have in memory now; a page that several share is shared out among them."""
    return sum(_kib(pid, "smaps_rollup", "Pss:") for pid in tree(roots)) / 1024


def _kib(pid: int, file: str, word: str) -> int:
    for line in _read(Path(f"/proc/{pid}/{file}")).splitlines():
        if line.startswith(word):
            return int(line.split()[1])
    return 0


def _read(path: Path) -> str:
    """The file's text; nothing where its process has just ended."""
    try:
        return path.read_text()
    except OSError:
        return ""
