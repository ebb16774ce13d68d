"""Sign a whole mail that somebody else made: DKIM, relaxed/relaxed (RFC 6376 3.4.2, 3.4.4)."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime

from engine.compose.dkim import Seal, Signer, Unsigned

_WORTH_SIGNING = b"from to reply-to subject date message-id mime-version content-type".split()
_SPACE = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r\n(?=[ \t])")


def sign_mail(mail: bytes, signers: Sequence[Signer], now: datetime) -> bytes:
    """Return the mail (CRLF line ends) with a signature of each signer in front."""
    head, _, body = mail.partition(b"\r\n\r\n")
    fields = [field for field in _fields(head) if field[0] in _WORTH_SIGNING]
    fields.reverse()  # of twins the lower one counts first
    names = [name.decode() for name, _ in fields]
    canonical = b"".join(b"%b:%b\r\n" % field for field in fields)
    body_hash = b64encode(hashlib.sha256(_relaxed_body(body)).digest())
    unsigned = Unsigned(mail, canonical, body_hash, int(now.timestamp()))
    return b"".join([*(Seal(signer, names).fields([unsigned])[0] for signer in signers), mail])


def _fields(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and value of each field in relaxed form."""
    for line in _FOLD.sub(b"", head).split(b"\r\n"):
        name, _, value = line.partition(b":")
        yield name.strip().lower(), _SPACE.sub(b" ", value).strip()


def _relaxed_body(body: bytes) -> bytes:
    lines = [_SPACE.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    text = b"\r\n".join(lines).rstrip(b"\r\n")
    return text + b"\r\n" if text else b""
