"""The commands of one transaction, written for what the receiver offers, or the reason they cannot be written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import idna

from config.vocabulary import EnhancedStatus, Reply
from engine.deliver.attempt import Envelope

MAX_ADDRESS_OCTETS = 254
MAX_ENVELOPE_ID = 100


@dataclass(frozen=True, slots=True)
class Offer:
    """What a receiver's EHLO offers, as far as we use it; `max_size` in octets, 0 where it sets none."""

    pipelining: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    dsn: bool = False
    starttls: bool = False
    size: bool = False
    max_size: int = 0


class Commands(NamedTuple):
    """MAIL and RCPT as they go over the wire."""

    mail: bytes
    rcpt: bytes


class _Unspeakable(Exception):
    """An address that cannot stand in a command."""


def read_offer(extensions: Mapping[str, str]) -> Offer:
    """The offer in the keywords and parameters of an EHLO answer (RFC 5321 4.1.1.1)."""
    size = extensions.get("size", "").strip()
    return Offer(
        pipelining="pipelining" in extensions,
        eight_bit="8bitmime" in extensions,
        smtputf8="smtputf8" in extensions,
        dsn="dsn" in extensions,
        starttls="starttls" in extensions,
        size="size" in extensions,
        max_size=int(size) if size.isascii() and size.isdigit() and len(size) < 16 else 0,
    )


def write_commands(envelope: Envelope, offer: Offer) -> Commands | Reply:
    """MAIL and RCPT with the parameters that the receiver offers, or our own refusal.

    SIZE is RFC 1870, BODY RFC 6152, SMTPUTF8 RFC 6531, RET, ENVID, NOTIFY and ORCPT RFC 3461. Addresses that would
    break out of their command are refused here with 553 and never reach the wire.
    """
    try:
        sender = _speakable(envelope.mail_from) if envelope.mail_from else ""
        recipient = _speakable(envelope.recipient)
    except _Unspeakable:
        return Reply(553, EnhancedStatus(5, 1, 3), "Not sent: the address is not well formed")
    needs_utf8 = not (sender.isascii() and recipient.isascii())
    is_eight_bit = not envelope.wire.isascii()
    if needs_utf8 and not offer.smtputf8:
        return Reply(553, EnhancedStatus(5, 6, 7), "Not sent: the receiver takes no addresses beyond ASCII")
    if is_eight_bit and not offer.eight_bit:
        return Reply(554, EnhancedStatus(5, 6, 3), "Not sent: the receiver takes no eight-bit mail")
    if 0 < offer.max_size < len(envelope.wire):
        words = f"Not sent: the message is too big, {len(envelope.wire)} octets where {offer.max_size} are taken"
        return Reply(552, EnhancedStatus(5, 3, 4), words)
    return Commands(
        f"MAIL FROM:<{sender}>{_mail_parameters(envelope, offer, is_eight_bit, needs_utf8)}\r\n".encode(),
        f"RCPT TO:<{recipient}>{_rcpt_parameters(envelope, offer, recipient)}\r\n".encode(),
    )


def _mail_parameters(envelope: Envelope, offer: Offer, is_eight_bit: bool, needs_utf8: bool) -> str:
    size = f" SIZE={len(envelope.wire)}" if offer.size else ""
    body = " BODY=8BITMIME" if is_eight_bit else ""
    utf8 = " SMTPUTF8" if needs_utf8 else ""
    notice = f" RET=HDRS{_envelope_id(envelope.envelope_id)}" if offer.dsn else ""
    return size + body + utf8 + notice


def _envelope_id(envelope_id: str) -> str:
    encoded = _xtext(envelope_id)
    return f" ENVID={encoded}" if encoded and len(encoded) <= MAX_ENVELOPE_ID and encoded.isprintable() else ""


def _rcpt_parameters(envelope: Envelope, offer: Offer, recipient: str) -> str:
    if not offer.dsn:
        return ""
    kind = "rfc822" if recipient.isascii() else "utf-8"
    return f" NOTIFY={envelope.notify} ORCPT={kind};{_xtext(recipient)}"


def _xtext(text: str) -> str:
    """RFC 3461 4, and for what lies beyond ASCII RFC 6533 3."""
    text = text.translate(_XTEXT)
    return text if text.isascii() else "".join(c if c.isascii() and c != "\\" else f"\\x{{{ord(c):X}}}" for c in text)


_XTEXT = {ord("+"): "+2B", ord("="): "+3D", ord(" "): "+20"}


def _speakable(address: str) -> str:
    """The address with its domain in A-labels; raises _Unspeakable unless it is `local@domain` in printing letters."""
    if _PLAIN.fullmatch(address):
        return address
    local, _, domain = address.rpartition("@")
    if not local or not domain or not address.isprintable() or not _UNSPEAKABLE.isdisjoint(address):
        raise _Unspeakable
    if "@" in local and local[0] != '"':
        raise _Unspeakable
    if not domain.isascii():
        domain = _a_labels(domain)
    if len(address.encode()) > MAX_ADDRESS_OCTETS:
        raise _Unspeakable
    return f"{local}@{domain}"


_PLAIN = re.compile(r"[A-Za-z0-9.+_=-]{1,64}@[A-Za-z0-9.-]{1,189}")
"""What most addresses look like; none of them needs a closer look."""

_UNSPEAKABLE = frozenset(" <>\r\n\0")


def _a_labels(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        raise _Unspeakable from None
