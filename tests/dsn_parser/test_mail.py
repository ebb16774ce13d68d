"""Bytes become headers and parts, however carelessly they were written."""

from __future__ import annotations

import pytest

from dsn_parser.headers import split_parameters
from dsn_parser.mail import read_mail


def test_folded_fields_are_one_line_and_names_are_lower_case() -> None:
    headers = read_mail(b"Subject: one\r\n two\r\nX-A: b\r\nx-a: c\r\n\r\nbody").headers
    assert headers.get("subject") == "one two"
    assert headers.all("x-a") == ("b", "c")
    assert headers.get("absent") == ""


def test_encoded_words_are_decoded() -> None:
    headers = read_mail(b"Subject: =?utf-8?q?V=C3=A5r?= =?iso-8859-1?B?5OU=?= x\n\n").headers
    assert headers.text("subject") == "Våräå x"


def test_the_leaves_of_a_tree_come_in_order() -> None:
    mail = read_mail(
        b"Content-Type: multipart/mixed; boundary=a\n\npreamble\n"
        b"--a\nContent-Type: multipart/alternative; boundary=ab\n\n"
        b"--ab\nContent-Type: text/plain\n\none\n--ab\nContent-Type: text/html\n\n<p>two</p>\n--ab--\n"
        b"--a\n\nthree\n--a--\nepilogue"
    )
    assert [(part.media_type, part.text.strip()) for part in mail.parts] == [
        ("text/plain", "one"),
        ("text/html", "two"),
        ("text/plain", "three"),
    ]


def test_a_boundary_that_begins_another_is_not_taken_for_it() -> None:
    mail = read_mail(b"Content-Type: multipart/mixed; boundary=a\n\n--a\n\n--ab\none\n--a--\n")
    assert [part.body for part in mail.parts] == [b"--ab\none"]


def test_a_boundary_other_than_declared_is_found() -> None:
    mail = read_mail(
        b"Content-Type: multipart/report; boundary=x\n\n--other\nContent-Type: text/plain\n\none\n--other--\n"
    )
    assert [part.text for part in mail.parts] == ["one"]


def test_an_embedded_message_is_a_leaf() -> None:
    mail = read_mail(b"Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--a--\n")
    assert [part.is_embedded_message for part in mail.parts] == [True]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('Text/Plain; charset="utf-8"', ("text/plain", {"charset": "utf-8"})),
        (
            'multipart/report; boundary="a;b=c"; report-type=x',
            ("multipart/report", {"boundary": "a;b=c", "report-type": "x"}),
        ),
        ("text/plain   charset=iso-2022-jp", ("text/plain", {})),
        ("", ("", {})),
        (";;=;", ("", {"": ""})),
    ],
)
def test_a_content_type_is_split(value: str, expected: tuple[str, dict[str, str]]) -> None:
    assert split_parameters(value) == expected


def test_a_file_name_stands_in_either_field() -> None:
    assert read_mail(b'Content-Disposition: attachment; filename="a.xml"\n\n').parts[0].filename == "a.xml"
    assert read_mail(b"Content-Type: text/xml; name==?utf-8?q?b=2Exml?=\n\n").parts[0].filename == "b.xml"
