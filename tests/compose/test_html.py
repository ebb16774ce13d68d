"""The two bodies of one text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from config.vocabulary import BodyFormat
from engine.compose.html import escape, render
from engine.compose.wire import dot_stuff
from tests.compose.letters import Member, part, ready

HOSTILE = """<script>alert(1)</script> <img src=x onerror=alert(1)> <a href="javascript:alert(1)">a</a>

[b](javascript:alert(1)) [c](data:text/html,x) ![d](https://example.org/pixel.png) <style>*{}</style> [e](//example.org)
"""


class _Eye(HTMLParser):
    """Sees the tags and links of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links |= {value or "" for name, value in attrs if name in ("href", "src") or name.startswith("on")}


@pytest.mark.parametrize("body_format", list(BodyFormat))
def test_hostile_html_becomes_text(body_format: BodyFormat) -> None:
    page = render(HOSTILE, body_format, "<b>", ()).html
    seen = _Eye(page)
    assert seen.tags <= {"html", "head", "meta", "title", "body", "main", "footer", "p", "a", "br"}
    assert seen.links <= {"https://example.org/pixel.png", "//example.org"}
    assert "&lt;script&gt;" in page
    assert "<title>&lt;b&gt;</title>" in page


def test_markdown_has_its_styles_in_place_and_nothing_is_fetched() -> None:
    page = render(
        "# Rubrik\n\nrad ett\nrad *två*\n\n- a\n\n**[Anmäl dig](https://example.org)**", BodyFormat.MARKDOWN, "x", ()
    )
    assert "<style" not in page.html
    assert "<link" not in page.html
    assert "rad ett<br>" in page.html
    assert '<h1 style="' in page.html
    assert "background: #0b5394" in page.html


def test_the_text_beside_markdown_keeps_links_and_lists() -> None:
    text = render("Hej *du*\n\n1. ett\n2. två\n\n[Anmäl dig](https://example.org/a)", BodyFormat.MARKDOWN, "x", ()).text
    assert "Hej du" in text
    assert "1. ett" in text
    assert "[Anmäl dig](https://example.org/a)" in text


def test_plain_text_stays_as_it_is_and_its_addresses_can_be_clicked() -> None:
    body = "Hej *du* & ni\nse https://example.org/?a=1&b=2.\n\nhälsar  vi"
    made = render(body, BodyFormat.PLAIN, "x", ("fot",))
    assert made.text == f"{body}\n\n-- \nfot\n"
    assert "Hej *du* &amp; ni<br>" in made.html
    assert '<a href="https://example.org/?a=1&amp;b=2"' in made.html
    assert ">https://example.org/?a=1&amp;b=2</a>.</p>" in made.html


def test_sender_office_and_a_way_out_stand_in_every_body() -> None:
    wire = ready().render(Member())
    for subtype in ("plain", "html"):
        body = part(wire, subtype)
        for word in ("Anna Andersson", "Kansliet", "Björneborgs Båtklubb", "https://post.brevduva.example/u/"):
            assert word in body


def test_escaped_text_is_no_markdown() -> None:
    name = r"Klubben *1* [a](b) # _x_ \ `y` <b> 1. - +"
    assert render(escape(name), BodyFormat.MARKDOWN, "x", ()).text.startswith(name)


def test_dots_that_begin_a_line_are_doubled() -> None:
    assert dot_stuff(b".a\r\n.\r\nb.c\r\n..d\r\n") == b"..a\r\n..\r\nb.c\r\n...d\r\n"


def test_addresses_that_stand_bare_in_markdown_can_be_clicked_and_are_told_once() -> None:
    body = (
        "Se https://example.org/a?b=1&c=2, (https://example.org).\n\n`https://code.example` [t](https://example.org/t)"
    )
    bodies = render(body, BodyFormat.MARKDOWN, "x", ())
    assert _Eye(bodies.html).links == {"https://example.org/a?b=1&c=2", "https://example.org", "https://example.org/t"}
    assert "Se https://example.org/a?b=1&c=2, (https://example.org)." in bodies.text
    assert "[t](https://example.org/t)" in bodies.text


def test_a_hole_in_a_bare_address_is_filled_in_wherever_the_address_stands() -> None:
    mailing = ready(body="https://example.org/%FIRST_NAME%")
    raw = mailing.render(Member(first_name="Åsa B"))
    assert "https://example.org/%C3%85sa%20B" in part(raw, "plain")
    assert 'href="https://example.org/%C3%85sa%20B"' in part(raw, "html")
    assert "[https" not in part(raw, "plain")


def test_a_long_address_breaks_rather_than_widen_the_mail() -> None:
    assert "overflow-wrap: anywhere" in render("x", BodyFormat.PLAIN, "x", ()).html
