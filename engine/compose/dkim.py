"""Sign a mail: DKIM with relaxed/relaxed canonicalisation, RSA-SHA256 (RFC 6376) or Ed25519-SHA256 (RFC 8463).

What is the same in a whole mailing is prepared once; a member's mail adds its time, its body hash and its signature.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

_PADDING, _HASH = PKCS1v15(), Prehashed(SHA256())
_LINE = 72


@dataclass(frozen=True, slots=True)
class Signer:
    """One key of a signing domain; its public half stands in DNS at `<selector>._domainkey.<domain>`."""

    domain: str
    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        return "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, digest: bytes) -> bytes:
        """Sign the SHA-256 of the canonical header fields."""
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(digest, _PADDING, _HASH)
        return self.key.sign(digest)


class Unsigned(NamedTuple):
    """A mail, and what is signed of it: fields in relaxed form, the body's hash in base64, seconds since 1970."""

    raw: bytes
    canonical_fields: bytes
    body_hash: bytes
    seconds: int


class Seal:
    """A signer made ready for one list of header fields."""

    def __init__(self, signer: Signer, names: Sequence[str]) -> None:
        self._signer = signer
        tags = f"v=1; a={signer.algorithm}; c=relaxed/relaxed;\r\n d={signer.domain}; s={signer.selector};\r\n t="
        listed = f";\r\n h={_wrap(':'.join(names), ':')};\r\n bh="
        self._pieces = [piece.encode() for piece in (tags, listed, ";\r\n b=")]
        self._relaxed = [piece.replace(b"\r\n", b"") for piece in self._pieces]

    def fields(self, mails: Sequence[Unsigned]) -> list[bytes]:
        """The DKIM-Signature field of each mail.

        All are signed in a row: a signature pushes what makes mails out of the processor's caches.
        """
        digests = [self._digest(mail) for mail in mails]
        signatures = [self._signer.sign(digest) for digest in digests]
        return [self._field(mail, signature) for mail, signature in zip(mails, signatures, strict=True)]

    def _digest(self, mail: Unsigned) -> bytes:
        tags, listed, end = self._relaxed
        parts = (mail.canonical_fields, b"dkim-signature:", tags, b"%d" % mail.seconds, listed, mail.body_hash, end)
        return hashlib.sha256(b"".join(parts)).digest()

    def _field(self, mail: Unsigned, signature: bytes) -> bytes:
        tags, listed, end = self._pieces
        seconds, letters = b"%d" % mail.seconds, b64encode(signature)
        return b"".join((b"DKIM-Signature: ", tags, seconds, listed, mail.body_hash, end, _break(letters), b"\r\n"))


def _wrap(text: str, mark: str) -> str:
    """Break a list behind its marks, so that no line is long."""
    lines, current = [], ""
    for word in text.split(mark):
        if current and len(current) + len(word) > _LINE:
            lines.append(current)
            current = ""
        current += f"{word}{mark}"
    return "\r\n ".join([*lines, current])[: -len(mark)]


def _break(letters: bytes) -> bytes:
    return b"\r\n ".join([letters[at : at + _LINE] for at in range(0, len(letters), _LINE)])
