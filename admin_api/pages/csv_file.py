"""A table as a file that Excel opens as it is, without a formula in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from starlette.responses import Response

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BOM = "\ufeff"


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    """The file to be saved under a name, which is ours: plain letters."""
    text = io.StringIO(newline="")
    text.write(_BOM)
    writer = csv.writer(text, delimiter=";")
    writer.writerows([_harmless(cell) for cell in row] for row in (head, *rows))
    saved_as = f'attachment; filename="{name}.csv"'
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers={"Content-Disposition": saved_as})


def _harmless(text: str) -> str:
    """A cell that no spreadsheet program takes for a formula."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text
