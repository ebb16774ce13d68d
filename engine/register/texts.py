"""What people type, made one tidy line or a tidy paragraph; anything invisible that could do harm goes."""

from __future__ import annotations

import unicodedata

from engine.errors import InvalidInput

_HARMFUL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def one_line(text: str) -> str:
    """A text in one line: every run of white space and control characters becomes one space (NFC)."""
    return " ".join("".join(map(_visible, unicodedata.normalize("NFC", text))).split())


def paragraphs(text: str) -> str:
    """A text of several lines: line ends become LF, other control characters spaces, outer white space goes."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join("".join(mark if mark == "\t" else _visible(mark) for mark in line) for line in lines).strip()


def required(field: str, text: str, longest: int) -> str:
    """One tidy line that has to say something. Raises InvalidInput where it is empty or longer than `longest`."""
    tidy = one_line(text)
    if not tidy:
        raise InvalidInput(field, f"give {field}")
    if len(tidy) > longest:
        raise InvalidInput(field, f"give at most {longest} characters")
    return tidy


def _visible(mark: str) -> str:
    if mark in _HARMFUL:
        return ""
    return " " if unicodedata.category(mark) in ("Cc", "Cs", "Zl", "Zp") else mark
