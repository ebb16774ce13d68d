"""Bytes with holes in them."""

from __future__ import annotations

from engine.compose.form import Form, cut_at


def test_every_hole_gets_its_filling_wherever_and_however_often_it_stands() -> None:
    form = Form([1, b"-", 0, b"-", 1])
    assert form.fill([b"a", b"b"]) == b"b-a-b"
    assert form.fill([b"", b"c"]) == b"c--c"


def test_a_form_without_holes_is_always_the_same() -> None:
    assert Form([b"a", b"b"]).fill([]) == b"ab"


def test_a_text_is_cut_at_its_marks() -> None:
    form = cut_at("Hej åX, 100 % Y och X.".encode(), ("X", "Y"))
    assert form.fill([b"1", b"2"]) == "Hej å1, 100 % 2 och 1.".encode()


def test_a_filling_that_looks_like_a_mark_stays_as_it_is() -> None:
    assert cut_at(b"XY", ("X", "Y")).fill([b"Y", b"X"]) == b"YX"
