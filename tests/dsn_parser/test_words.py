"""Every expression by which a kind of mail is known finds the words that it was written for."""

from __future__ import annotations

import pytest

from dsn_parser.original import split_notice
from dsn_parser.scan import any_of
from dsn_parser.words import WORDS_FOLDER, read_words

FILES = sorted(path.stem for path in WORDS_FOLDER.glob("*.toml"))
PAIRS = [(name, *pair) for name in FILES for pair in read_words(name)]


@pytest.mark.parametrize(("name", "expression", "example"), PAIRS)
def test_an_expression_finds_its_example(name: str, expression: str, example: str) -> None:
    assert any_of(expression).matches(example)


@pytest.mark.parametrize("example", [example for name, _, example in PAIRS if name.startswith("original_")])
def test_a_notice_ends_at_the_example(example: str) -> None:
    assert split_notice(f"mailbox full\n{example}\nreturned")[0] == "mailbox full\n"


def test_no_expression_stands_twice() -> None:
    assert len({(name, expression) for name, expression, _ in PAIRS}) == len(PAIRS)
