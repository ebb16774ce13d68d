"""The two bodies of a mail as bytes with holes: encoded once a mailing, filled and hashed for every member."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from engine.compose.form import Form
from engine.compose.html import Bodies
from engine.compose.placeholders import Hole, Slot, as_html, as_text, cut
from engine.compose.quoted import SOFT, encode, encode_filling

_PART = b'Content-Type: text/%b; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'


class Body(NamedTuple):
    """One member's body, and the SHA-256 of its relaxed canonical form, which is the body itself."""

    raw: bytes
    digest: bytes


class Template:
    """A multipart/alternative body (RFC 2046 5.1.4) cut at its holes; the hash of what comes before them is kept."""

    def __init__(self, bodies: Bodies, boundary: str) -> None:
        between = b"--" + boundary.encode()
        pieces: list[bytes | Slot] = [
            between + b"\r\n" + _PART % b"plain",
            *_encode_pieces(list(cut(bodies.text, as_text))),
            b"\r\n" + between + b"\r\n" + _PART % b"html",
            *_encode_pieces(list(cut(bodies.html, as_html))),
            b"\r\n" + between + b"--\r\n",
        ]
        first = next((at for at, piece in enumerate(pieces) if isinstance(piece, Slot)), len(pieces))
        self._beginning = b"".join(piece for piece in pieces[:first] if isinstance(piece, bytes))
        self._hash = hashlib.sha256(self._beginning)
        self._slots = list(dict.fromkeys(piece for piece in pieces if isinstance(piece, Slot)))
        rest = [self._slots.index(piece) if isinstance(piece, Slot) else piece for piece in pieces[first:]]
        self._rest = Form(rest)

    def fill(self, values: Mapping[Hole, str]) -> Body:
        """Fill every hole with the member's value for it."""
        after = self._rest.fill([encode_filling(slot.escape(values[slot.hole])) for slot in self._slots])
        digest = self._hash.copy()
        digest.update(after)
        return Body(self._beginning + after, digest.digest())


def _encode_pieces(pieces: Sequence[str | Slot]) -> Iterator[bytes | Slot]:
    """Encode the text between the holes, with a soft break wherever a hole does not stand at the edge of a line."""
    for at, piece in enumerate(pieces):
        if isinstance(piece, Slot):
            yield piece
            continue
        before = SOFT if at > 0 and not piece.startswith("\n") else b""
        after = SOFT if at < len(pieces) - 1 and piece and not piece.endswith("\n") else b""
        yield before + encode(piece) + after
