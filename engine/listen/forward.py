"""A person's reply to the sender address, made into a mail to the user who sent the mailing; pure, and safe from loops.

Whose mailing it answers is `identify.find_owner`'s to say: without a token of ours that verifies, nothing is
forwarded. The letter goes on as a mail of our own, because under DMARC (RFC 7489) nobody may send as the member's
domain but itself; an answer to it reaches the member by Reply-To.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from enum import StrEnum

from dsn_parser.address import is_address
from dsn_parser.headers import Headers, OverLimitError
from dsn_parser.mail import Mail, read_mail
from dsn_parser.text import decode_words
from engine.listen.body import has_bare_characters

MOST_HOPS = 30
_LONGEST_LINE_BYTES = 998
_LONGEST_ADDRESS = 254  # RFC 5321 4.5.3.1.3, without the angle brackets
_LONGEST_WORDS = 200
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_LIST_FIELDS = ("list-id", "list-unsubscribe", "list-post", "mailing-list")


class Obstacle(StrEnum):
    """Why a mail is not forwarded."""

    EMPTY_RETURN_PATH = "empty_return_path"
    AUTOMATIC = "automatic"
    BULK = "bulk"
    LOOP = "loop"
    NO_ADDRESS = "no_address"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Letter:
    """A person's mail as it reached us."""

    raw: bytes
    envelope_from: str
    peer: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Forwarder:
    """Ourselves, as forwarded mail names us."""

    sender_address: str
    hostname: str
    bounce_domain: str


def forward(letter: Letter, recipient: str, via: str, forwarder: Forwarder) -> bytes | Obstacle:
    """Return the mail to hand on to `recipient` (CRLF, unsigned, not dot-stuffed), or why there is none.

    `via` is the association's name. Send it with the empty reverse path, so that its own bounce can never come back.
    """
    try:
        mail = read_mail(letter.raw)
    except OverLimitError:
        return Obstacle.UNREADABLE
    obstacle = _find_obstacle(mail.headers, letter.envelope_from, recipient, forwarder)
    return obstacle or _build(letter, mail, _new_head(letter, mail.headers, recipient, via, forwarder))


def _find_obstacle(headers: Headers, envelope_from: str, recipient: str, forwarder: Forwarder) -> Obstacle | None:
    """Find what makes it no letter from a person, or one that goes in circles (RFC 3834 2, RFC 5321 6.3)."""
    if not envelope_from:
        return Obstacle.EMPTY_RETURN_PATH
    if (headers.get("auto-submitted") or "no").partition(";")[0].strip().lower() != "no":
        return Obstacle.AUTOMATIC
    if headers.get("precedence").lower() in _BULK or any(headers.get(name) for name in _LIST_FIELDS):
        return Obstacle.BULK
    if not _author(headers)[1]:
        return Obstacle.NO_ADDRESS
    places = {_author(headers)[1], recipient, envelope_from, *headers.all("x-loop")}
    has_been_here = forwarder.sender_address.lower() in {place.lower() for place in places}
    return Obstacle.LOOP if has_been_here or len(headers.all("received")) >= MOST_HOPS else None


def _author(headers: Headers) -> tuple[str, str]:
    """Return name and address of who wrote it; the address is "" where it is none that mail can go to."""
    name, address = parseaddr(headers.get("from"))
    answer_to = parseaddr(headers.get("reply-to"))[1] or address
    return _tidy(decode_words(name)) or answer_to.partition("@")[0], answer_to if _is_usable(answer_to) else ""


def _is_usable(address: str) -> bool:
    if len(address) > _LONGEST_ADDRESS or not address.isascii():
        return False
    try:
        return is_address(address) and Address(addr_spec=address).addr_spec == address
    except (ValueError, IndexError, HeaderParseError):
        return False


def _new_head(letter: Letter, headers: Headers, recipient: str, via: str, forwarder: Forwarder) -> EmailMessage:
    head = EmailMessage(policy=SMTP)
    name, answer_to = _author(headers)
    instant = format_datetime(letter.received_at)
    mark = hashlib.sha256(letter.raw + recipient.encode()).hexdigest()[:32]
    head["Received"] = f"from [{letter.peer}] by {forwarder.hostname}; {instant}"
    head["X-Loop"] = forwarder.sender_address
    head["Auto-Submitted"] = "auto-generated"
    head["From"] = Address(_tidy(f"{name} via {via}"), addr_spec=forwarder.sender_address)
    head["To"] = Address(addr_spec=recipient)
    head["Reply-To"] = Address(addr_spec=answer_to)
    head["Subject"] = _tidy(headers.text("subject"))
    head["Date"] = instant
    head["Message-ID"] = f"<f.{mark}@{forwarder.bounce_domain}>"
    return head


def _tidy(text: str) -> str:
    """Return one line of visible characters, not long."""
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())[:_LONGEST_WORDS]


def _build(letter: Letter, mail: Mail, head: EmailMessage) -> bytes:
    """Hand the body on as it is where it can travel anywhere, else its text with the whole letter attached."""
    _, _, body = letter.raw.partition(b"\r\n\r\n")
    fields = b"".join(_content_fields(mail.headers))
    if _can_travel(fields) and _can_travel(body):
        return head.as_bytes().removesuffix(b"\r\n") + fields + b"\r\n" + body
    text = next((part.text for part in mail.of_type("text/plain", "text/html")), "")
    head.set_content(text, cte="base64")
    head.add_attachment(letter.raw, maintype="application", subtype="octet-stream", filename="brev.eml")
    return head.as_bytes()


def _content_fields(headers: Headers) -> Iterator[bytes]:
    """What says how the body is to be read, each field once: the first, as mail programs take it."""
    for name, value in dict(reversed(headers.fields)).items():
        if name.startswith("content-") or name == "mime-version":
            yield f"{name}: {value}\r\n".encode()


def _can_travel(lines: bytes) -> bool:
    """Tell whether every server takes these lines: ASCII, none too long, ended by CRLF (RFC 5321 2.3.8, 4.5.3.1.6)."""
    if not lines.isascii() or (lines and not lines.endswith(b"\r\n")):
        return False
    is_short = max(map(len, lines.split(b"\r\n")), default=0) <= _LONGEST_LINE_BYTES
    return is_short and not has_bare_characters(lines)
