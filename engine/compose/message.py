"""One member's mail as bytes: headers, both bodies and signatures, the same byte for byte however often it is made."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from config.vocabulary import MailingKind
from engine.compose import headers
from engine.compose.dkim import Seal, Signer, Unsigned
from engine.compose.html import Bodies, render
from engine.compose.placeholders import SIGN, Hole, Slot, as_html, as_text, cut, mark_holes, unknown_placeholders
from engine.compose.template import Template
from engine.return_path import KeyRing, Purpose, sign
from engine.store.mailings import Mailing, Sender

CONFIRM_LINK = "%CONFIRM_LINK%"
"""Stands in the body of a confirmation request for the member's own link."""

TOKEN_FIELD = "X-Brevduva-Token"  # noqa: S105 - the name of a field, no secret
"""Carries the return path's token, for reports that lack the return path itself."""

_TOKEN, _LEAVE, _DATE = "\uf000" * 20, "\uf001" * 30, "\uf002" * 31
"""Stand in a letterhead for what differs: private characters, about as many as will stand there."""

_NEVER_TWICE = ("From", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "Content-Type", "List-Unsubscribe")
"""Signed once more than they stand there, so that nobody can add another (RFC 6376 8.15)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the installation is to the world, and the keys it signs with."""

    sender_address: str
    hostname: str
    bounce_domain: str
    base_url: str
    ring: KeyRing
    signers: tuple[Signer, ...]


class Recipient(Protocol):
    """What a mail needs to know of its message row."""

    @property
    def message_id(self) -> int: ...
    @property
    def first_name(self) -> str: ...
    @property
    def last_name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def domain(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Preview:
    """A mail as the member will see it, and what its writer should be warned of."""

    sender: str
    reply_to: str
    recipient: str
    subject: str
    html: str
    text: str
    warnings: tuple[str, ...]


class Prepared:
    """A mailing made ready: `render` adds what differs from member to member."""

    def __init__(self, mailing: Mailing, identity: Identity) -> None:
        self._identity = identity
        self._sender = mailing.sender
        self._is_confirmation = mailing.kind is MailingKind.CONFIRMATION
        self._subject = list(cut(mark_holes(headers.tidy(mailing.subject)), as_text))
        self._warnings = _warnings(mailing)
        self._bodies = _render_bodies(mailing, identity)
        boundary = f"=_brevduva_{mailing.id}"
        self._template = Template(self._bodies, boundary)
        letterhead = _letterhead(mailing, identity, boundary)
        self._letterhead = headers.Letterhead(letterhead, (_TOKEN, _LEAVE, _DATE))
        names = [name.lower() for name in ("To", "Subject", *letterhead, *_NEVER_TWICE)]
        self._seals = [Seal(signer, names) for signer in identity.signers]

    def render(self, recipient: Recipient) -> bytes:
        """The signed mail with CRLF line ends, in which no line begins with a dot."""
        return self.render_all([recipient], [sign(self._identity.ring, Purpose.BOUNCE, recipient.message_id)])[0]

    def render_all(self, recipients: Sequence[Recipient], tokens: Sequence[str]) -> list[bytes]:
        """The signed mails of some members; `tokens` are the BOUNCE tokens of their messages."""
        unsigned = list(map(self._write, recipients, tokens))
        signatures = [seal.fields(unsigned) for seal in self._seals]
        return [b"".join((*fields, mail.raw)) for mail, *fields in zip(unsigned, *signatures, strict=True)]

    def _write(self, recipient: Recipient, token: str) -> Unsigned:
        values, date = self._values(recipient), headers.date(recipient.created_at)
        body = self._template.fill(values)
        local = recipient.email.rpartition("@")[0]
        personal = {
            "To": headers.mailbox(values[Hole.NAME], f"{local}@{recipient.domain}"),
            "Subject": headers.unstructured(_fill(self._subject, values)),
        }
        letterhead, relaxed = self._letterhead.fill(token, values[Hole.UNSUBSCRIBE], date)
        return Unsigned(
            b"".join((headers.fields(personal), letterhead, b"\r\n", body.raw)),
            headers.canonical(personal) + relaxed,
            b64encode(body.digest),
            int(recipient.created_at.timestamp()),
        )

    def show(self, recipient: Recipient) -> Preview:
        """The mail as the member will see it."""
        values = self._values(recipient)
        return Preview(
            sender=f"{_sender_name(self._sender)} <{self._identity.sender_address}>",
            reply_to=f"{self._sender.user} <{self._sender.user_email}>",
            recipient=f"{values[Hole.NAME]} <{recipient.email}>",
            subject=_fill(self._subject, values),
            html=_fill(cut(self._bodies.html, as_html), values),
            text=_fill(cut(self._bodies.text, as_text), values),
            warnings=self._warnings,
        )

    def _values(self, recipient: Recipient) -> dict[Hole, str]:
        first, last = headers.tidy(recipient.first_name), headers.tidy(recipient.last_name)
        ring, number = self._identity.ring, recipient.message_id
        return {
            Hole.NAME: f"{first} {last}".strip(),
            Hole.FIRST_NAME: first,
            Hole.LAST_NAME: last,
            Hole.UNSUBSCRIBE: sign(ring, Purpose.UNSUBSCRIBE, number),
            Hole.CONFIRM: sign(ring, Purpose.CONFIRM, number) if self._is_confirmation else "",
        }


def prepare(mailing: Mailing, identity: Identity) -> Prepared:
    """Do once what is the same for every member of a mailing."""
    return Prepared(mailing, identity)


def _letterhead(mailing: Mailing, identity: Identity, boundary: str) -> dict[str, str]:
    """Every field but To and Subject, with marks where members differ."""
    sender, home, domain = mailing.sender, identity.sender_address.rpartition("@")[2], identity.bounce_domain
    fields = {
        "From": headers.mailbox(_sender_name(sender), identity.sender_address),
        "Reply-To": headers.mailbox(sender.user, sender.user_email),
        "Date": _DATE,
        "Message-ID": f"<{_TOKEN}@{domain}>",
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{boundary}"',
        "List-Id": headers.mailbox(sender.association, f"{sender.slug}.{home}"),
        "List-Unsubscribe": f"<{identity.base_url}/u/{_LEAVE}>, <mailto:{Purpose.UNSUBSCRIBE}+{_LEAVE}@{domain}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Feedback-ID": f"{mailing.id}:{sender.slug}:{mailing.kind}:brevduva",
        "CFBL-Address": f"feedback@{domain}; report=arf",
        "CFBL-Feedback-ID": _TOKEN,
        TOKEN_FIELD: _TOKEN,
    }
    if mailing.kind is MailingKind.CONFIRMATION:
        fields["Auto-Submitted"] = "auto-generated"
    return fields


def _render_bodies(mailing: Mailing, identity: Identity) -> Bodies:
    body = mark_holes(mailing.body)
    if mailing.kind is MailingKind.CONFIRMATION:
        body = body.replace(CONFIRM_LINK, f"{identity.base_url}/c/{SIGN[Hole.CONFIRM]}")
    return render(body, mailing.format, mark_holes(headers.tidy(mailing.subject)), _footer(mailing.sender, identity))


def _sender_name(sender: Sender) -> str:
    return f"{sender.user} via {sender.association}"


def _footer(sender: Sender, identity: Identity) -> tuple[str, ...]:
    user, office, association = map(headers.tidy, (sender.user, sender.office, sender.association))
    return (
        f"Skickat av {user}, {office}, för {association}. Svar går till {user}.",
        f"Vill du inte få fler utskick: {identity.base_url}/u/{SIGN[Hole.UNSUBSCRIBE]}",
    )


def _warnings(mailing: Mailing) -> tuple[str, ...]:
    own = {CONFIRM_LINK} if mailing.kind is MailingKind.CONFIRMATION else set()
    odd = [word for word in unknown_placeholders(f"{mailing.subject} {mailing.body}") if word not in own]
    return tuple(f"{word} is no placeholder; it will stand there as it is" for word in odd)


def _fill(pieces: Iterable[str | Slot], values: Mapping[Hole, str]) -> str:
    return "".join([piece.escape(values[piece.hole]) if isinstance(piece, Slot) else piece for piece in pieces])
