"""A member register as a file: a head and rows of text, whatever program wrote it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass

from engine.errors import InvalidInput
from engine.register.workbook import read_workbook

MOST_BYTES = 20_000_000
MOST_ROWS = 100_000
MOST_COLUMNS = 100
_LONGEST_CELL = 100_000
_SAMPLE = 50_000
_DELIMITERS = ";,\t|"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The head of a register and its rows, each with its number in the file (the head is mostly row 1)."""

    head: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read_sheet(data: bytes, filename: str) -> Sheet:
    """Read a CSV or XLSX file; every cell is text, a formula too. Raises InvalidInput that names the cure."""
    if len(data) > MOST_BYTES:
        raise InvalidInput("file", f"the file is larger than {MOST_BYTES // 1_000_000} MB; divide it")
    is_workbook = data.startswith(b"PK\x03\x04")
    if not is_workbook and (
        data.startswith(b"\xd0\xcf\x11\xe0") or filename.lower().endswith((".xls", ".xlsx", ".ods"))
    ):
        raise InvalidInput("file", "the file is no workbook of the kind .xlsx; save it as .xlsx or .csv")
    rows = read_workbook(data) if is_workbook else _read_csv(_decode(data))
    written = [(number, cells) for number, cells in enumerate(rows, 1) if any(cell.strip() for cell in cells)]
    if not written:
        raise InvalidInput("file", "the file is empty")
    if len(written) > MOST_ROWS + 1 or max(len(cells) for _, cells in written) > MOST_COLUMNS:
        raise InvalidInput("file", f"the file has more than {MOST_ROWS} rows or {MOST_COLUMNS} columns; divide it")
    return Sheet(written[0][1], tuple(written[1:]))


def _decode(data: bytes) -> str:
    """Text of UTF-8 (with or without Excel's mark), UTF-16 with its mark, or else what Windows writes up here."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _read_csv(text: str) -> list[tuple[str, ...]]:
    text = text.replace("\0", "")
    first, _, rest = text.partition("\n")
    declared = first.strip().lower().removeprefix("sep=")
    if first.lower().startswith("sep=") and len(declared) == 1:
        return [(), *_rows(rest, declared)]
    return _rows(text, _sniff(text))


def _sniff(text: str) -> str:
    """The delimiter that divides the first lines most evenly; a lone column has none, and a comma does no harm."""
    sample = "\n".join(text[:_SAMPLE].splitlines()[:20])
    return max(_DELIMITERS, key=lambda delimiter: _evenness(sample, delimiter))


def _evenness(sample: str, delimiter: str) -> tuple[int, int]:
    """How many lines have the commonest number of cells (0 where that is one), and how many cells that is."""
    try:
        widths = Counter(len(cells) for cells in _rows(sample, delimiter) if cells)
    except InvalidInput:
        return 0, 0
    width, lines = widths.most_common(1)[0] if widths else (1, 0)
    return (lines, width) if width > 1 else (0, 0)


def _rows(text: str, delimiter: str) -> list[tuple[str, ...]]:
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[str, ...]] = []
    try:
        for cells in reader:
            rows.append(tuple(cells))
            if len(rows) > 2 * MOST_ROWS:
                break
    except csv.Error as error:
        raise InvalidInput(
            "file", f"line {reader.line_num} cannot be read ({error}); is a quotation mark open?"
        ) from None
    return rows
