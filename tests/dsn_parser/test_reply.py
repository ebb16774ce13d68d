"""Code, enhanced status and text are found wherever a reply or a report puts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsn_parser.reply import MAX_TEXT_CHARACTERS, parse_reply, read_enhanced, with_status

REPLIES = [
    ("550 5.1.1 <ida@example.com>: User unknown", 550, "5.1.1", "<ida@example.com>: User unknown"),
    (
        "550-5.1.1 The account\r\n550-5.1.1 does not\r\n550 5.1.1 exist - gsmtp",
        550,
        "5.1.1",
        "The account does not exist - gsmtp",
    ),
    ("550-one 550-two 550 three", 550, None, "one two 550 three"),
    ("smtp; 452 4.2.2 Over quota", 452, "4.2.2", "Over quota"),
    (
        "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found",
        550,
        "5.1.10",
        "RESOLVER.ADR.RecipientNotFound; not found",
    ),
    ('X-Postfix; unknown user: "ida"', 0, None, 'unknown user: "ida"'),
    ("x-unix; 127", 0, None, "127"),
    ("421", 421, None, ""),
    ("", 0, None, ""),
    ("250 2.0.0 OK: queued", 250, "2.0.0", "OK: queued"),
    ("550 #5.1.0 Address rejected", 550, "5.1.0", "Address rejected"),
    ("Sorry, no mailbox here by that name. (#5.1.1)", 0, "5.1.1", "Sorry, no mailbox here by that name. (#5.1.1)"),
    ("550 Sorry (#5.1.1 - chkuser)", 550, "5.1.1", "Sorry (#5.1.1 - chkuser)"),
    ("550= 5.3.5 Internal System Error", 550, "5.3.5", "Internal System Error"),
    (
        "5.1.0 - Unknown address error 550-'5.7.1 <a@b.example>... Access denied' (delivery attempts: 0)",
        550,
        "5.7.1",
        "<a@b.example>... Access denied' (delivery attempts: 0)",
    ),
]

WITHIN = [
    ("host mx.example.com[192.0.2.20] said: 550 5.1.1 no such user (in reply to RCPT TO command)", 550, "5.1.1"),
    ("Remote host said: 554 5.7.1 refused. Giving up on 192.0.2.20.", 554, "5.7.1"),
    ("SMTP error from remote mail server after RCPT TO:<a@b.example>: host mx [192.0.2.1]: 550 unknown", 550, None),
    ("refused to talk to me: 421 Service not available", 421, None),
    ("554 4.4.7 Message expired: unable to deliver in 840 minutes.<421 4.4.2 Connection timed out>", 554, "4.4.7"),
]  # fmt: skip

NO_CODES = [
    "delivered to 550 people at 192.0.2.550",
    "Exim 4.96.2 running since 2024.5.1.1",
    "Message-ID <421.550@example.com>",
    "Your mail of 451 kB",
]


@pytest.mark.parametrize(("raw", "code", "enhanced", "text"), REPLIES)
def test_a_reply_is_read_into_its_three_parts(raw: str, code: int, enhanced: str | None, text: str) -> None:
    reply = parse_reply(raw)
    assert (reply.code, reply.enhanced and str(reply.enhanced), reply.text) == (code, enhanced, text)


@pytest.mark.parametrize(("raw", "code", "enhanced"), WITHIN)
def test_a_reply_quoted_in_a_sentence_is_found(raw: str, code: int, enhanced: str | None) -> None:
    reply = parse_reply(raw)
    assert (reply.code, reply.enhanced and str(reply.enhanced)) == (code, enhanced)


@pytest.mark.parametrize("raw", NO_CODES)
def test_other_numbers_are_no_codes(raw: str) -> None:
    reply = parse_reply(raw)
    assert (reply.code, reply.enhanced) == (0, None)


def test_bytes_in_any_charset_are_read() -> None:
    assert parse_reply("550 Okänd mottagare".encode()).text == "Okänd mottagare"
    assert parse_reply("550 Okänd".encode("latin-1")).code == 550


def test_no_more_than_the_limit_is_kept() -> None:
    assert len(parse_reply(b"550 " + b"x" * 100_000).text) <= MAX_TEXT_CHARACTERS


def test_the_status_field_fills_what_the_words_lack() -> None:
    assert str(with_status(parse_reply("550 no"), "5.1.1 (bad mailbox)").enhanced) == "5.1.1"
    assert str(with_status(parse_reply("550 5.0.0 no"), "5.2.2").enhanced) == "5.2.2"
    assert str(with_status(parse_reply("550 5.7.1 no"), "5.1.1").enhanced) == "5.7.1"
    assert with_status(parse_reply("550 no"), "").enhanced is None


def test_a_status_field_with_words_is_read() -> None:
    assert str(read_enhanced("4.4.7 (unable to deliver this message after 1 day)")) == "4.4.7"
    assert read_enhanced("nothing here") is None


@given(st.one_of(st.text(max_size=300), st.binary(max_size=300)))
def test_any_text_is_read_without_an_error(raw: str | bytes) -> None:
    reply = parse_reply(raw)
    assert reply.code == 0 or 200 <= reply.code < 600
    assert "\r" not in reply.text
    assert "\n" not in reply.text
