"""Read an XLSX workbook, in a process of its own that may not fill the memory; the only file that knows calamine.

A workbook of a few kilobytes can stand for gigabytes (inflated parts, one cell far down and to the right, a long text
referred to by every cell). The process is given a limit and what breaks it is no register.
"""

from __future__ import annotations

import datetime as dates
import io
import os
import resource
import subprocess
import sys

import orjson
from python_calamine import load_workbook

from engine.errors import InvalidInput

Cell = int | float | str | bool | dates.date | dates.time | dates.timedelta
Rows = list[tuple[str, ...]]

_MOST_MEMORY = 1 << 30
_MOST_CPU_SECONDS = 30
_MOST_SECONDS = 60
_LONGEST_ANSWER = 100_000_000


def read_workbook(data: bytes) -> Rows:
    """The rows of the first sheet that holds anything, every cell as text. Raises InvalidInput; blocks for a while."""
    command = [sys.executable, "-m", "engine.register.workbook"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        reader = subprocess.run(  # noqa: S603 - our own module; the file goes to its standard input only
            command, input=data, capture_output=True, env=environment, timeout=_MOST_SECONDS, check=True
        )
    except subprocess.SubprocessError:
        raise InvalidInput("file", "the workbook cannot be read or is too big; save it as .csv") from None
    return [tuple(row) for row in orjson.loads(reader.stdout)]


def _first_sheet(data: bytes) -> Rows:
    workbook = load_workbook(io.BytesIO(data))
    for name in workbook.sheet_names:
        rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        if any(cell != "" for row in rows for cell in row):
            return [tuple(_to_text(cell) for cell in row) for row in rows]
    return []


def _to_text(cell: Cell) -> str:
    """A cell as a person reads it: whole numbers without a point, days as 2026-01-31."""
    if isinstance(cell, bool):
        return "x" if cell else ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dates.datetime):
        return cell.date().isoformat() if cell.time() == dates.time() else cell.isoformat(" ", "minutes")
    return str(cell)


def _main() -> None:
    """The process: a workbook on standard input, its rows as JSON on standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_SECONDS, _MOST_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer = orjson.dumps(_first_sheet(sys.stdin.buffer.read()))
    if len(answer) > _LONGEST_ANSWER:
        sys.exit(1)
    sys.stdout.buffer.write(answer)


if __name__ == "__main__":
    _main()
