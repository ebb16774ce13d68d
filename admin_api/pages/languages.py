"""The members' own pages speak the language that the member's browser asks for: Swedish, Finnish or English."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

LANGUAGES = ("sv", "fi", "en")
"""The first is spoken where none is asked for."""

_FOLDER = Path(__file__).parent.parent / "locale"
_MOST_ASKED = 20


def choose_language(accept: str) -> str:
    """The language of ours that an Accept-Language header likes best (RFC 9110 12.5.4)."""
    weights = dict(reversed([_read(asked) for asked in accept.split(",")[:_MOST_ASKED]]))
    return max(LANGUAGES, key=lambda language: weights.get(language, 0.0))


@cache
def sentences(language: str) -> dict[str, dict[str, str]]:
    """Every sentence of a language, by page and name."""
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def _read(asked: str) -> tuple[str, float]:
    """One entry of the header, as in `fi-FI;q=0.8`: the language, and how much it is wanted."""
    name, _, weight = asked.partition(";q=")
    try:
        return name.strip().lower().partition("-")[0], float(weight or 1)
    except ValueError:
        return "", 0.0
