"""Sign a mail: DKIM with relaxed/relaxed canonicalisation, RSA-SHA256 (RFC 6376) or Ed25519-SHA256 (RFC 8463).

What is the same in a whole mailing is prepared once; a member's mail adds its time, its body hash and its signature.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

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


class Seal:
    """A signer made ready for one list of header fields."""

    def __init__(self, signer: Signer, names: Sequence[str]) -> None:
        self._signer = signer
        tags = f"v=1; a={signer.algorithm}; c=relaxed/relaxed;\r\n d={signer.domain}; s={signer.selector};"
        listed = _wrap(":".join(names), ":")
        self._before_time = f"{tags}\r\n t="
        self._after_time = f";\r\n h={listed};\r\n bh="

    def field(self, canonical_fields: bytes, body_hash: str, seconds: int) -> bytes:
        """The DKIM-Signature field for these canonical fields and this body; `seconds` since 1970 is its time."""
        value = f"{self._before_time}{seconds}{self._after_time}{body_hash};\r\n b="
        relaxed = value.replace("\r\n", "").encode()
        digest = hashlib.sha256(b"%bdkim-signature:%b" % (canonical_fields, relaxed)).digest()
        signature = b64encode(self._signer.sign(digest)).decode()
        return f"DKIM-Signature: {value}{_break(signature)}\r\n".encode()


def _wrap(text: str, mark: str) -> str:
    """Break a list behind its marks, so that no line is long."""
    lines, current = [], ""
    for word in text.split(mark):
        if current and len(current) + len(word) > _LINE:
            lines.append(current)
            current = ""
        current += f"{word}{mark}"
    return "\r\n ".join([*lines, current])[: -len(mark)]


def _break(signature: str) -> str:
    return "\r\n ".join([signature[at : at + _LINE] for at in range(0, len(signature), _LINE)])
