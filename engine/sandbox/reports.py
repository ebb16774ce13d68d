"""Writes what receivers mail back: delivery reports, prose bounces, feedback reports, vacation notices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from engine.sandbox.letters import field_of, head_of


@dataclass(frozen=True, slots=True)
class Occasion:
    """The mail that is answered: who it was for, which host took it, when it is answered and to whom."""

    original: bytes
    recipient: str
    host: str
    at: datetime
    answer_to: str

    @property
    def boundary(self) -> str:
        return f"=_{self.at:%Y%m%d%H%M%S}_{self.host.replace('.', '_')}"


def delivery_report(occasion: Occasion, action: str, status: str, diagnostic: str) -> bytes:
    """A report that machines read (RFC 3464); `action` is `failed` or `delayed`."""
    words = "could not be delivered to" if action == "failed" else "has not yet been delivered to"
    subject = "Undelivered Mail Returned to Sender" if action == "failed" else "Delayed Mail (still being retried)"
    notice = f"This is the mail system at host {occasion.host}.\r\n\r\nYour message {words}\r\n"
    per_message = f"Reporting-MTA: dns; {occasion.host}\r\nArrival-Date: {format_datetime(occasion.at)}\r\n"
    per_recipient = (
        f"Final-Recipient: rfc822; {occasion.recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {diagnostic}\r\n"
    )
    parts = [
        ("text/plain; charset=us-ascii", f"{notice}one or more recipients. It's attached below.\r\n".encode()),
        ("message/delivery-status", f"{per_message}\r\n{per_recipient}".encode()),
        ("text/rfc822-headers", head_of(occasion.original)),
    ]
    return _report(occasion, "MAILER-DAEMON", subject, "delivery-status", parts)


def prose_bounce(occasion: Occasion, words: str) -> bytes:
    """A bounce in the manner of qmail: a paragraph for people, then the mail as it was."""
    head = _head(occasion, "MAILER-DAEMON", "failure notice")
    text = (
        f"Hi. This is the qmail-send program at {occasion.host}.\r\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\r\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\r\n\r\n"
        f"<{occasion.recipient}>:\r\n{words}\r\n\r\n"
        "--- Below this line is a copy of the message.\r\n\r\n"
        f"Return-Path: <{occasion.answer_to}>\r\n"
    )
    return head + b"\r\n" + text.encode() + occasion.original


def feedback_report(occasion: Occasion) -> bytes:
    """A member's complaint, told by the mailbox provider (RFC 5965)."""
    fields = (
        "Feedback-Type: abuse\r\nUser-Agent: Norrpost-Feedback/1.0\r\nVersion: 1\r\n"
        f"Original-Rcpt-To: {occasion.recipient}\r\nArrival-Date: {format_datetime(occasion.at)}\r\n"
        f"Reported-Domain: {_sender_domain(occasion)}\r\n"
    )
    parts = [
        ("text/plain; charset=us-ascii", b"This is an email abuse report for a message from your server.\r\n"),
        ("message/feedback-report", fields.encode()),
        ("message/rfc822", occasion.original),
    ]
    return _report(occasion, "feedback", "Abuse report", "feedback-report", parts)


def vacation_notice(occasion: Occasion) -> bytes:
    """An automatic answer (RFC 3834)."""
    extra = f"Auto-Submitted: auto-replied\r\nIn-Reply-To: {field_of(occasion.original, 'Message-ID')}\r\n"
    head = _head(occasion, occasion.recipient, "Autosvar: jag är på semester", extra)
    text = "Hej!\r\n\r\nJag är på semester och läser inte min e-post förrän på måndag.\r\n"
    return head + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text.encode()


def unsubscribe_mail(occasion: Occasion) -> bytes:
    """What a mail program sends to a `mailto:` in List-Unsubscribe (RFC 2369 3.2)."""
    return _head(occasion, occasion.recipient, "unsubscribe") + b"\r\nunsubscribe\r\n"


def _report(occasion: Occasion, sender: str, subject: str, kind: str, parts: list[tuple[str, bytes]]) -> bytes:
    """A multipart/report of three parts (RFC 6522)."""
    kind_fields = (
        "Auto-Submitted: auto-generated\r\n"
        f'Content-Type: multipart/report; report-type={kind};\r\n\tboundary="{occasion.boundary}"\r\n\r\n'
    )
    mark = f"--{occasion.boundary}".encode()
    pieces = (mark + b"\r\nContent-Type: " + media.encode() + b"\r\n\r\n" + body + b"\r\n" for media, body in parts)
    return _head(occasion, sender, subject, kind_fields) + b"".join(pieces) + mark + b"--\r\n"


def _head(occasion: Occasion, sender: str, subject: str, extra: str = "") -> bytes:
    author = sender if "@" in sender else f"{sender}@{occasion.host}"
    message_id = f"<{occasion.at:%Y%m%d%H%M%S}.{occasion.recipient.replace('@', '.')}@{occasion.host}>"
    fields = (
        f"From: {author}\r\nTo: {occasion.answer_to}\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
        f"Date: {format_datetime(occasion.at)}\r\nMessage-ID: {message_id}\r\n{extra}"
    )
    return fields.encode()


def _sender_domain(occasion: Occasion) -> str:
    return field_of(occasion.original, "From").rpartition("@")[2].rstrip(">")
