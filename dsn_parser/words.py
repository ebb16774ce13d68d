"""The words by which mail is known, read from `config/report_words/`; each with an example that a test runs."""

from __future__ import annotations

import tomllib
from pathlib import Path

import config
from dsn_parser.scan import Pattern, any_of

WORDS_FOLDER = Path(config.__file__).parent / "report_words"


def read_words(name: str) -> list[tuple[str, str]]:
    """Return the expressions of one file, each with its example."""
    pairs: list[list[str]] = tomllib.loads((WORDS_FOLDER / f"{name}.toml").read_text("utf-8"))["words"]
    return [(expression, example) for expression, example in pairs]


def words(name: str) -> Pattern:
    """Compile one file into a pattern that finds any of its expressions."""
    return any_of(*(expression for expression, _ in read_words(name)))


def alternatives(name: str) -> str:
    """Return the expressions of one file as alternatives for a bigger expression."""
    return "|".join(expression for expression, _ in read_words(name))
