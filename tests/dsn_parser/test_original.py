"""The returned mail is cut off the notice, and tells whose it was."""

from __future__ import annotations

import pytest

from dsn_parser.mail import read_mail
from dsn_parser.original import looks_like_report, read_original, returned_mails, split_notice

ORIGINAL = (
    "Return-Path: <b+1.2@studs.example>\nMessage-ID: <1@a.example>\nX-Brevduva-Token: 1.2\n"
    "To: Ida <ida@example.org>\n\nuser unknown"
)


@pytest.mark.parametrize(
    "line",
    [
        "--- Below this line is a copy of the message.",
        "------ This is a copy of the message, including all the headers. ------",
        "--- The header of the original message is following. ---",
        "----- Original message -----",
        "   ----- Unsent message follows -----",
        "-------- Returned Mail --------",
        "   -- The header and top 20 lines of the message follows --",
        "Original message headers:",
        "Message headers follow:",
        "Possibly truncated original message follows:",
        "    Below is a copy of the original message:",
        "Ursprungliga meddelandehuvuden:",
        "Ursprüngliche Nachrichtenkopfzeilen:",
        "En-têtes de message d'origine :",
        "Alkuperäisen viestin otsikot:",
        "Begin forwarded message:",
        "",
    ],
)
def test_the_notice_ends_where_the_returned_mail_begins(line: str) -> None:
    notice, quoted = split_notice(f"<ida@example.org>: mailbox full\n\n{line}\n\n{ORIGINAL}")
    assert notice.strip() == "<ida@example.org>: mailbox full"
    (raw,) = returned_mails(read_mail(b"\n"), quoted)
    original = read_original(raw)
    assert (original.token, original.message_id, original.return_path) == (
        "1.2",
        "<1@a.example>",
        "b+1.2@studs.example",
    )
    assert original.recipients == ("ida@example.org",)


@pytest.mark.parametrize(
    "line",
    [
        "The original message was received at Mon, 3 Mar 2025",
        "  To: somebody",
        "Your message to ida@example.org could not be delivered.",
        "--- The following addresses had delivery problems ---",
        "   ----- Transcript of session follows -----",
    ],
)
def test_a_line_of_the_notice_does_not_end_it(line: str) -> None:
    assert split_notice(f"{line}\nuser unknown") == (f"{line}\nuser unknown", "")


def test_quoting_before_every_line_is_dropped() -> None:
    quoted = "".join(
        f"> {line}\n" for line in ("From: MAILER-DAEMON@example.org", "Subject: failure notice", "", "gone")
    )
    (raw,) = returned_mails(read_mail(b"\n"), "Begin forwarded message:\n\n" + quoted)
    assert raw.decode().splitlines() == ["From: MAILER-DAEMON@example.org", "Subject: failure notice", "", "gone"]
    assert looks_like_report(raw)


def test_our_own_mail_does_not_look_like_a_report() -> None:
    assert not looks_like_report(ORIGINAL.encode())


def test_the_receiver_s_own_note_of_the_recipient_goes_first() -> None:
    raw = b"X-HmXmrOriginalRecipient: ida@example.org\nTo: lista@example.org\n\n"
    assert read_original(raw).recipients == ("ida@example.org", "lista@example.org")


def test_a_trace_field_tells_the_recipient_when_no_other_does() -> None:
    assert read_original(b"Received: from a by b for <ola@example.org>; x\n\n").recipients == ("ola@example.org",)
