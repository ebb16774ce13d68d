"""Where the notice ends and our own returned mail begins, and what can be read of the latter."""

from __future__ import annotations

from dsn_parser.address import find_addresses
from dsn_parser.headers import Headers, read_headers, split_head
from dsn_parser.mail import Mail
from dsn_parser.report import Original
from dsn_parser.scan import Pattern, any_of
from dsn_parser.words import alternatives

OUR_FIELD = "x-brevduva-token"
NOTICE_LIMIT_CHARACTERS = 32 * 1024
RECIPIENT_LIMIT = 100

_BEGINNING = Pattern(
    r"(?im)^(?:[>| \t]{0,8}[-=_*#~+]{2,}[ \t]*(?:" + alternatives("original_ruled") + ")"
    r"|[ \t>*]{0,8}(?:" + alternatives("original_line") + ")"
    r"|(?:>[ ]?)?(?:" + alternatives("original_field") + "))"
)
_FIELD_LINE = any_of(r"^[> \t]*(?:from|to|subject|date|message-id|received|return-path|mime-version):")
_REPORT_HEAD = Pattern(
    r"(?im)^(?:from:[^\n]*(?:mailer-daemon|mail delivery (?:sub)?system|postmaster@)"
    r"|x-failed-recipients:|[^\n]*report-type=\"?delivery-status)"
)
_RECEIVED_FOR = Pattern(r"(?i)\sfor <?([^\s<>;@]+@[^\s<>;]+)")
_RECIPIENT_FIELDS = (
    "x-hmxmroriginalrecipient",
    "x-apparently-to",
    "x-original-to",
    "delivered-to",
    "to",
    "cc",
    "bcc",
    "apparently-to",
    "x-to",
)


def split_notice(text: str) -> tuple[str, str]:
    """Split a text into the notice that a mailer wrote and the returned mail quoted below it, either may be ""."""
    text = text[: 2 * NOTICE_LIMIT_CHARACTERS]
    start = _BEGINNING.position(text)
    if start < 0:
        return text[:NOTICE_LIMIT_CHARACTERS], ""
    return text[:start][:NOTICE_LIMIT_CHARACTERS], text[start:]


def returned_mails(mail: Mail, quoted: str) -> list[bytes]:
    """Our mail as a report returned it: every embedded message or head, else what the text quotes."""
    embedded = [content for part in mail.parts if part.is_embedded_message and (content := part.content.strip())]
    unquoted = _unquote(quoted)
    return embedded or ([unquoted.encode("utf-8", "replace")] if unquoted else [])


def looks_like_report(raw: bytes) -> bool:
    """Tell by its head whether the returned mail is a bounce itself."""
    head, _ = split_head(raw)
    return _REPORT_HEAD.matches(head[:NOTICE_LIMIT_CHARACTERS].decode("latin-1"))


def _unquote(quoted: str) -> str:
    """Begin at the first line that is a well-known field; drop the quoting that some mailers put before each line."""
    lines = quoted[:NOTICE_LIMIT_CHARACTERS].split("\n")
    first = next((number for number, line in enumerate(lines) if _FIELD_LINE.matches(line)), len(lines))
    if first == len(lines):
        return ""
    margin = lines[first][: len(lines[first]) - len(lines[first].lstrip("> \t"))]
    return "\n".join(line.removeprefix(margin) if line.strip("> \t") else "" for line in lines[first:])


def read_original(raw: bytes, envelope_id: str = "") -> Original:
    """Read what tells whose mail it was out of the returned mail's head and the report's Original-Envelope-Id."""
    head, _ = split_head(raw.replace(b"\r\n", b"\n"))
    headers = read_headers(head, lenient=True)
    return Original(
        message_id=headers.get("message-id"),
        return_path=next(iter(find_addresses(headers.get("return-path"))), ""),
        envelope_id=envelope_id,
        token=headers.get(OUR_FIELD),
        feedback_id=headers.get("feedback-id"),
        subject=headers.text("subject"),
        recipients=_recipients(headers),
        sender=next(iter(find_addresses(headers.text("from"))), ""),
    )


def _recipients(headers: Headers) -> tuple[str, ...]:
    """Whom the mail was for, the surest first: the receiver's own note, then To and Cc, else `Received: … for`."""
    found = [address for name in _RECIPIENT_FIELDS for value in headers.all(name) for address in find_addresses(value)]
    if not found:
        found = [address for value in headers.all("received") if (address := _RECEIVED_FOR.find(value))]
    return tuple(dict.fromkeys(found))[:RECIPIENT_LIMIT]
