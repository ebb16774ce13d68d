"""How texts are compared."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.store.folding import fold


def test_letters_compare_without_case_and_accents() -> None:
    assert fold("André") == fold("ANDRE")
    assert fold("Åsa") == fold("åsa") == fold("A\u030asa") != fold("Asa")


def test_swedish_letters_come_after_z_in_their_order() -> None:
    names = ["Zorn", "Ek", "Öberg", "Ärlig", "Åberg", "Älv", "Åkesson", "Oskar", "andersson"]
    assert sorted(names, key=fold) == [
        *("andersson", "Ek", "Oskar", "Zorn", "Åberg", "Åkesson", "Älv", "Ärlig", "Öberg"),
    ]


@given(st.text())
def test_folding_twice_is_folding_once_for_plain_letters(text: str) -> None:
    plain = "".join(mark for mark in text if mark.isascii() and mark not in "{|}")
    assert fold(fold(plain)) == fold(plain)
