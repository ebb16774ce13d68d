"""Bytes with holes in them: cut into pieces once, put together again for every member."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


class Form:
    """Pieces of bytes, and between them holes; a hole is the number of the filling that stands there."""

    def __init__(self, pieces: Sequence[bytes | int]) -> None:
        self._pieces = [b"" if isinstance(piece, int) else piece for piece in pieces]
        self._holes = [(at, piece) for at, piece in enumerate(pieces) if isinstance(piece, int)]

    def fill(self, fillings: Sequence[bytes]) -> bytes:
        pieces = self._pieces.copy()
        for at, number in self._holes:
            pieces[at] = fillings[number]
        return b"".join(pieces)


def cut_at(text: bytes, marks: Iterable[str]) -> Form:
    """The form of a text in which marks stand for the fillings, in their order."""
    numbers = {mark.encode(): number for number, mark in enumerate(marks)}
    pieces = re.split(b"(%b)" % b"|".join(map(re.escape, numbers)), text)
    return Form([numbers.get(piece, piece) for piece in pieces])
