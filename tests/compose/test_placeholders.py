"""Holes in what a person wrote."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.vocabulary import BodyFormat
from engine.compose.placeholders import SIGN, Hole, as_text, cut, mark_holes, unknown_placeholders
from tests.compose.letters import Member, part, read, ready


def test_every_placeholder_is_filled_in_subject_and_both_bodies() -> None:
    text = "%NAME%, %FIRST_NAME% och %LAST_NAME%"
    wire = ready(subject=text, body=text).render(Member())
    expected = "Ida Idunsson, Ida och Idunsson"
    assert read(wire)["Subject"] == expected
    assert part(wire, "plain").startswith(expected)
    assert expected in part(wire, "html")


def test_a_hole_keeps_its_place_in_emphasis_links_and_tables() -> None:
    body = "**%NAME%** [anmälan](https://example.org/?namn=%LAST_NAME%)\n\n| %FIRST_NAME% | b |\n|---|---|\n| c | d |"
    page = part(ready(body=body).render(Member(last_name="Öst & Väst")), "html")
    assert "<strong>Ida Öst &amp; Väst</strong>" in page
    assert 'href="https://example.org/?namn=%C3%96st%20%26%20V%C3%A4st"' in page
    assert ">Ida</th>" in page


@pytest.mark.parametrize("body_format", list(BodyFormat))
def test_a_name_is_never_read_as_html_markdown_or_placeholder(body_format: BodyFormat) -> None:
    name = "<script>alert(1)</script> **x** %LAST_NAME% [a](http://x) \"'&"
    wire = ready(subject="%FIRST_NAME%", body="Hej %FIRST_NAME%!", format=body_format).render(Member(first_name=name))
    assert f"Hej {html.escape(name)}!" in part(wire, "html")
    assert f"Hej {name}!" in part(wire, "plain")
    assert read(wire)["Subject"] == name


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.text(st.characters(codec="utf-8"), max_size=60))
def test_no_name_brings_in_a_line_a_header_or_a_part(first: str, last: str) -> None:
    wire = ready(subject="Till %NAME%", body="Hej %NAME%").render(Member(first_name=first, last_name=last))
    plain = read(ready(subject="Till %NAME%", body="Hej %NAME%").render(Member()))
    mail = read(wire)
    assert mail.keys() == plain.keys()
    assert [one.get_content_type() for one in mail.walk()] == [one.get_content_type() for one in plain.walk()]
    assert len(part(wire, "plain").splitlines()) == len(part(plain.as_bytes(), "plain").splitlines())


@given(st.text(max_size=200))
def test_private_characters_of_a_person_are_no_holes(text: str) -> None:
    pieces = list(cut(mark_holes(text + SIGN[Hole.CONFIRM] + "%NAME%"), as_text))
    holes = [piece.hole for piece in pieces if not isinstance(piece, str)]
    assert Hole.CONFIRM not in holes
    assert holes[-1] is Hole.NAME


def test_what_only_looks_like_a_placeholder_is_told() -> None:
    assert unknown_placeholders("%NAMN% %NAME% 20% och 30% %FÖRNAMN% %NAMN%") == ["%NAMN%", "%FÖRNAMN%"]
    seen = ready(subject="Till %NAMN%", body="Hej %NAME%").show(Member())
    assert seen.subject == "Till %NAMN%"
    assert len(seen.warnings) == 1
    assert "%NAMN%" in seen.warnings[0]
