"""A person's reply, made into a mail to the user who sent the mailing."""

from __future__ import annotations

import email.policy
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from engine.listen.forward import MOST_HOPS, Forwarder, Letter, Obstacle, forward
from tests.listen.callers import BOUNCE_DOMAIN, HOSTNAME, SENDER

FORWARDER = Forwarder(SENDER, HOSTNAME, BOUNCE_DOMAIN)
USER = "sekreterare@forening.example"
RAW = (
    b"From: =?utf-8?q?Ida_=C3=96st?= <ida@example.org>\r\n"
    b"To: utskick@brevduva.example\r\n"
    b"Subject: =?utf-8?q?Sv=3A_=C3=85rsm=C3=B6te?=\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    b"\r\nJag kommer g=C3=A4rna.\r\n.\r\n"
)
LETTER = Letter(RAW, "ida@example.org", "192.0.2.1", datetime(2026, 3, 1, 12, 0, tzinfo=UTC))


def forwarded(letter: Letter) -> EmailMessage:
    """Forward a letter and read what comes of it."""
    wire = forward(letter, USER, "Fågelklubben", FORWARDER)
    assert isinstance(wire, bytes)
    assert b"\n" not in wire.replace(b"\r\n", b"")
    assert wire.isascii()
    assert max(map(len, wire.split(b"\r\n"))) <= 998
    message = email.message_from_bytes(wire, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def with_field(field: bytes) -> Letter:
    return replace(LETTER, raw=field + b"\r\n" + RAW)


def test_the_user_reads_it_and_answers_the_member() -> None:
    message = forwarded(LETTER)
    assert str(message["From"]) == "Ida Öst via Fågelklubben <utskick@brevduva.example>"
    assert (message["To"], message["Reply-To"], message["Subject"]) == (USER, "ida@example.org", "Sv: Årsmöte")
    assert message.get_content().split() == ["Jag", "kommer", "gärna.", "."]
    assert (message["X-Loop"], message["Auto-Submitted"]) == (SENDER, "auto-generated")
    assert message["Message-ID"].endswith(f"@{BOUNCE_DOMAIN}>")


def test_the_same_letter_gives_the_same_mail() -> None:
    assert forward(LETTER, USER, "F", FORWARDER) == forward(LETTER, USER, "F", FORWARDER)


def test_a_reply_to_of_the_members_own_is_kept() -> None:
    assert forwarded(with_field(b"Reply-To: Hemma <ida@home.example>"))["Reply-To"] == "ida@home.example"


def test_a_mail_with_parts_goes_on_whole() -> None:
    raw = (
        b"From: ida@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\n\r\ntext\r\n"
        b"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n"
    )
    message = forwarded(replace(LETTER, raw=raw))
    assert [part.get_content_type() for part in message.walk()] == ["multipart/mixed", "text/plain", "image/png"]


@pytest.mark.parametrize(
    "body",
    [b"b\xc3\xa5t\r\n", b"b\xc3\xa5t" + b"x" * 2000 + b"\r\n", b"b\xc3\xa5t without an end", b"b\xc3\xa5t\nbare\r\n"],
)
def test_a_body_that_cannot_travel_is_attached_and_its_text_shown(body: bytes) -> None:
    raw = b"From: ida@example.org\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body
    message = forwarded(replace(LETTER, raw=raw))
    text = message.get_body()
    assert isinstance(text, EmailMessage)
    assert text.get_content().startswith("båt")
    [attached] = message.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("brev.eml", raw)


@pytest.mark.parametrize(
    ("letter", "obstacle"),
    [
        (replace(LETTER, envelope_from=""), Obstacle.EMPTY_RETURN_PATH),
        (with_field(b"Auto-Submitted: auto-replied (vacation)"), Obstacle.AUTOMATIC),
        (with_field(b"Precedence: bulk"), Obstacle.BULK),
        (with_field(b"List-Id: <birds.example.org>"), Obstacle.BULK),
        (with_field(b"X-Loop: Utskick@Brevduva.example"), Obstacle.LOOP),
        (with_field(b"\r\n".join([b"Received: from a by b"] * MOST_HOPS)), Obstacle.LOOP),
        (replace(LETTER, envelope_from=SENDER), Obstacle.LOOP),
        (with_field(b"Reply-To: utskick@brevduva.example"), Obstacle.LOOP),
        (replace(LETTER, raw=RAW.replace(b"<ida@example.org>", b"<>")), Obstacle.NO_ADDRESS),
        (replace(LETTER, raw=RAW.replace(b"<ida@example.org>", b"<ida@[10.0.0.1]@example.org>")), Obstacle.NO_ADDRESS),
        (with_field(b"Reply-To: " + b"a" * 250 + b"@example.org"), Obstacle.NO_ADDRESS),
        (with_field(b"X-Long: " + b"x" * 100_000), Obstacle.UNREADABLE),
    ],
)
def test_what_no_person_wrote_or_goes_in_circles_is_not_forwarded(letter: Letter, obstacle: Obstacle) -> None:
    assert forward(letter, USER, "F", FORWARDER) is obstacle


def test_what_says_how_a_body_is_read_is_said_once() -> None:
    types = b"Content-Type: text/plain\r\nContent-Type: text/html\r\n"
    mail = forward(replace(LETTER, raw=b"From: ida@example.org\r\n" + types + b"\r\nhej\r\n"), USER, "F", FORWARDER)
    assert isinstance(mail, bytes)
    assert mail.lower().count(b"content-type: ") == 1
    assert b"content-type: text/plain" in mail.lower()


def test_bare_characters_never_travel_on() -> None:
    for flaw in (b"a\rb\r\n", b"a\nb\r\n", b"a\0b\r\n"):
        message = forwarded(replace(LETTER, raw=b"From: ida@example.org\r\n\r\n" + flaw))
        assert [part.get_filename() for part in message.iter_attachments()] == ["brev.eml"]


def test_a_user_who_is_the_sender_address_gets_nothing() -> None:
    assert forward(LETTER, SENDER.upper(), "F", FORWARDER) is Obstacle.LOOP


@pytest.mark.parametrize(
    "encoded", [b"=?utf-8?q?hi=0D=0ABcc=3A_x=40y.example?=", b"=?utf-8?b?" + b"aGkNCkJjYzogeEB5" + b"?="]
)
def test_words_from_outside_never_become_headers(encoded: bytes) -> None:
    raw = b"From: " + encoded + b" <ida@example.org>\r\nSubject: " + encoded + b"\r\n\r\nhej\r\n"
    message = forwarded(replace(LETTER, raw=raw))
    assert message["Bcc"] is None
    assert "Bcc: x@y" in message["Subject"]
