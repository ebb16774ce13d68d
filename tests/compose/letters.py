"""A mailing, an identity and members, for tests of what a mail looks like."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from types import SimpleNamespace

import dkim
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from config.vocabulary import BodyFormat, MailingKind, MailingState
from engine.compose.dkim import Signer
from engine.compose.message import Identity, Prepared, prepare
from engine.keys import dkim_record
from engine.return_path import KeyRing
from engine.store.mailings import Mailing, Sender

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RING = KeyRing((b"a ring of sixteen bytes or more",))


@dataclass(frozen=True, slots=True)
class Member:
    """What a message row says of its member."""

    message_id: int = 12345
    first_name: str = "Ida"
    last_name: str = "Idunsson"
    email: str = "ida@example.org"
    domain: str = "example.org"
    created_at: datetime = NOW


SENDER = Sender("Björneborgs Båtklubb", "batklubben", "Kansliet", "Anna Andersson", "anna@klubb.example")
MAILING = Mailing(
    id=7,
    association_id=1,
    office_id=1,
    user_id=1,
    kind=MailingKind.MAILING,
    subject="Årsmöte",
    body="Hej %FIRST_NAME%!\n\nVälkommen.",
    format=BodyFormat.MARKDOWN,
    state=MailingState.SENDING,
    skipped={},
    sender=SENDER,
    created_at=NOW,
    sent_at=NOW,
)


@cache
def signers() -> tuple[Signer, Signer]:
    """An RSA and an Ed25519 signer, made once."""
    return (
        Signer("brevduva.example", "b1", rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        Signer("brevduva.example", "b2-ed", ed25519.Ed25519PrivateKey.generate()),
    )


def identity(*, signed: bool = False) -> Identity:
    return Identity(
        sender_address="utskick@brevduva.example",
        hostname="mail.brevduva.example",
        bounce_domain="retur.brevduva.example",
        base_url="https://post.brevduva.example",
        ring=RING,
        signers=signers() if signed else (),
    )


def ready(*, signed: bool = False, **changes: object) -> Prepared:
    """The mailing with some things changed, made ready."""
    return prepare(replace(MAILING, **changes), identity(signed=signed))  # type: ignore[arg-type]  # by field name


def read(wire: bytes) -> EmailMessage:
    """The mail as a mail program reads it."""
    message = message_from_bytes(wire, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(wire: bytes, subtype: str) -> str:
    """The decoded text of one of the two bodies."""
    body = read(wire).get_body((subtype,))
    assert body is not None
    content = body.get_content()
    assert isinstance(content, str)
    return content


class _VerifyKey:
    """Stands in for the one class of PyNaCl that dkimpy asks for Ed25519."""

    def __init__(self, key: bytes, encoder: object) -> None:
        self._key = ed25519.Ed25519PublicKey.from_public_bytes(b64decode(key))

    def verify(self, digest: bytes, signature: bytes) -> None:
        self._key.verify(signature, digest)


_NACL = SimpleNamespace(
    signing=SimpleNamespace(VerifyKey=_VerifyKey),
    encoding=SimpleNamespace(Base64Encoder=None),
    exceptions=SimpleNamespace(BadSignatureError=InvalidSignature, ValueError=ValueError),
)


def verifies(wire: bytes, published: Mapping[bytes, bytes] | None = None) -> list[bool]:
    """What dkimpy says of each signature, with these records in its DNS, else our own public keys."""
    vars(dkim).setdefault("nacl", _NACL)
    count = wire.split(b"\r\n\r\n")[0].lower().count(b"dkim-signature:")
    records = published or {
        f"{one.selector}._domainkey.{one.domain}.".encode(): dkim_record(one.key).encode() for one in signers()
    }
    return [_verifies(wire, at, records) for at in range(count)]


def _verifies(wire: bytes, at: int, records: Mapping[bytes, bytes]) -> bool:
    try:
        return bool(dkim.DKIM(wire).verify(at, dnsfunc=lambda name, timeout=5: records[name]))
    except dkim.ValidationError:
        return False
