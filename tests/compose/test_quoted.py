"""Quoted-printable in pieces."""

from __future__ import annotations

import quopri
import re

from hypothesis import example, given
from hypothesis import strategies as st

from engine.compose.quoted import SOFT, encode, encode_filling

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=400)
LINE = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=200)


def _is_calm(raw: bytes) -> bool:
    """Short ASCII lines that nothing on the way needs to touch, and that relaxed canonicalisation leaves alone."""
    lines = raw.split(b"\r\n")
    return (
        raw.isascii()
        and all(len(line) <= 76 and not line.startswith((b".", b"From ")) for line in lines)
        and not re.search(rb"[ \t]\r\n|[ \t]$|[ \t]{2}|\t|\0|(?<!\r)\n|\r(?!\n)", raw)
    )


@given(TEXT)
@example("  två  mellanslag  \n.\n..\nFrom oss\n \n\tflik")
@example("=" * 80)
@example("å" * 80)
def test_a_text_comes_back_as_it_was(text: str) -> None:
    raw = encode(text)
    assert _is_calm(raw)
    assert quopri.decodestring(raw).decode() == text.replace("\n", "\r\n")


@given(TEXT, LINE, TEXT)
def test_a_filling_leaves_its_neighbours_as_they_are(before: str, filling: str, after: str) -> None:
    raw = encode(before) + SOFT + encode_filling(filling) + SOFT + encode(after)
    assert _is_calm(raw.removesuffix(SOFT))
    assert quopri.decodestring(raw).decode() == (before + filling + after).replace("\n", "\r\n")
