"""Encodings undone; what cannot be read is replaced, never refused."""

from __future__ import annotations

import pytest

from dsn_parser.text import decode_text, decode_transfer, decode_words


@pytest.mark.parametrize(
    ("body", "encoding", "expected"),
    [
        (b"V=C3=A5r=\n!", "Quoted-Printable", "Vår!".encode()),
        (b"VsOlcg==", "base64", "Vår".encode()),
        (b"Vs Ol\ncg", "BASE64", "Vår".encode()),
        (b"VsOlcg=!", "base64", "Vår".encode()),
        (b"A", "base64", b""),
        (b"as is", "8bit", b"as is"),
        (b"as is", "x-unknown", b"as is"),
    ],
)
def test_a_transfer_encoding_is_undone(body: bytes, encoding: str, expected: bytes) -> None:
    assert decode_transfer(body, encoding) == expected


@pytest.mark.parametrize(
    ("content", "charset", "expected"),
    [
        ("Vår".encode(), "utf-8", "Vår"),
        ("Vår".encode("latin-1"), "", "Vår"),
        ("Vår".encode("latin-1"), "us-ascii", "Vår"),
        ("Vår".encode("latin-1"), "utf-8", "Vår"),
        ("почта".encode("koi8-r"), "koi8-r", "почта"),
        ("宛先".encode("iso2022_jp"), "", "宛先"),
        (b"plain", "no-such-charset", "plain"),
        (b"\xff\xfe", "no-such-charset", "ÿþ"),
        (b"abc", "hex", "abc"),
        (b"\xffabc", "idna", "ÿabc"),
    ],
)
def test_a_character_set_is_decoded(content: bytes, charset: str, expected: str) -> None:
    assert decode_text(content, charset) == expected


def test_html_loses_its_tags_but_not_its_addresses() -> None:
    html = (
        "<html><head><title>x</title></head><p class=a>To <b>&lt;ida@example.org&gt;</b><br>"
        "and <ola@example.org></p><!-- y -->"
    )
    assert decode_text(html.encode(), "utf-8", is_html=True).split() == [
        "To",
        "<ida@example.org>",
        "and",
        "<ola@example.org>",
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=?utf-8?b?VsOlcg==?=", "Vår"),
        ("=?iso-8859-1*sv?Q?V=E5r_sol?= and", "Vår sol and"),
        ("=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        ("=?=?=?", "=?=?=?"),
    ],
)
def test_an_encoded_word_is_decoded(value: str, expected: str) -> None:
    assert decode_words(value) == expected
