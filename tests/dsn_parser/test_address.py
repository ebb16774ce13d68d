"""Addresses are found in words and freed from their wrappings."""

from __future__ import annotations

import pytest

from dsn_parser.address import find_addresses, is_address, read_address, recipient_of_verp


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<ida@example.org>: host x said", ["ida@example.org"]),
        ("to 'ida+lista@sub.example.org'.", ["ida+lista@sub.example.org"]),
        ("宛先kijitora@example.jpに", ["kijitora@example.jp"]),
        ("ida@example.org<mailto:ida@example.org>", ["ida@example.org", "ida@example.org"]),
        ('"ida idunsson"@example.org', ['"ida idunsson"@example.org']),
        ("[SMTP:ida@example.org]", ["ida@example.org"]),
        ("c=SE;a= ;dda:SMTP=ida@example.org;", ["ida@example.org"]),
        ("/DD.RFC-822=ida(a)example.org/C=SE/", ["ida@example.org"]),
        ("see https://example.org/?a=b@c.example", []),
        ("åsa@bücher.example", ["åsa@bücher.example"]),
        ("<例え@example.org>", ["例え@example.org"]),
        ("nobody @ home", []),
    ],
)
def test_addresses_are_found(text: str, expected: list[str]) -> None:
    assert find_addresses(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("rfc822; ida@example.org", "ida@example.org"),
        ("RFC822;<ida@example.org>", "ida@example.org"),
        ("<ida@example.org>", "ida@example.org"),
        ("rfc822; @relay.example:ida@example.org", "ida@example.org"),
        ("rfc822; ida+3Dx@example.org", "ida=x@example.org"),
        ("rfc822; ida+22@example.org", "ida+22@example.org"),
        ("rfc822; ida+40example.org", "ida@example.org"),
        (r"utf-8; \x{E5}sa@example.org", "åsa@example.org"),
        (r"utf-8; \x{110000}a\x{zz}b@example.org", "ab@example.org"),
        ("X400; /DD.RFC-822=ida(a)example.org/C=SE", "ida@example.org"),
        ('LOCAL; "|/usr/bin/vacation"', "|/usr/bin/vacation"),
        ("", ""),
    ],
)
def test_a_report_field_is_read(value: str, expected: str) -> None:
    assert read_address(value) == expected


@pytest.mark.parametrize("text", ["ida@example.org", "åsa@bücher.example", "a=b@c.d"])
def test_an_address_is_one(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize("text", ["ida", "ida@localhost", "@example.org", "a b@example.org", "|x@example.org", "ida@"])
def test_anything_else_is_none(text: str) -> None:
    assert not is_address(text)


@pytest.mark.parametrize(
    ("return_path", "expected"),
    [
        ("list-bounces+ida=example.org@host.example", "ida@example.org"),
        ("bounce-ida.i=example.org@host.example", "ida.i@example.org"),
        ("b+7kq2.m4c9x@host.example", ""),
        ("a=b@host.example", ""),
    ],
)
def test_a_recipient_is_unfolded_from_a_return_path(return_path: str, expected: str) -> None:
    assert recipient_of_verp(return_path) == expected
