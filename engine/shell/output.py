"""What a command prints: a table for people, or the same rows as JSON for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Row = Mapping[str, object]

console = Console(soft_wrap=False)


def show(rows: Sequence[Row], *, as_json: bool, title: str = "", empty: str = "Nothing here.") -> None:
    """Print rows that share their keys; text from outside is printed as text, never as markup."""
    if as_json:
        console.file.write(to_json(rows) + "\n")
    elif rows:
        console.print(_table(rows, title))
    else:
        console.print(empty, markup=False)


def to_json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode()


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
