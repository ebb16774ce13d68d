"""What a command prints: sentences and tables for people, JSON for machines.

Text from outside is printed as text: never as markup, never as a sequence that steers the terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Row = Mapping[str, object]

_UNFOLDED_WIDTH = 10_000
"""Nothing is folded that goes into a pipe or a file: a line there is what people grep for."""


def show(rows: Sequence[Row], *, as_json: bool, title: str = "", empty: str = "Nothing here.") -> None:
    """Print rows that share their keys, as a table or as JSON."""
    if as_json:
        write(to_json(rows))
    elif rows:
        _console().print(_table(rows, title))
    else:
        say(empty)


def say(sentences: str) -> None:
    """Print what a person reads, folded to the width of their terminal."""
    lines = (_printable(line) for line in sentences.splitlines())
    _console().print("\n".join(lines), markup=False, highlight=False)


def write(text: str) -> None:
    """Print what is copied or read by a machine, exactly as it is."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def to_json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode()


def _console() -> Console:
    console = Console()
    if not console.is_terminal:
        console.width = _UNFOLDED_WIDTH
    return console


def _table(rows: Sequence[Row], title: str) -> Table:
    table = Table(title=title or None, title_justify="left", header_style="bold")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(escape(_printable(value)) for value in row.values()))
    return table


def _printable(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    text = "" if value is None else str(value)
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
