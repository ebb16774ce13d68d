"""What somebody else made and we sign verifies, by dkimpy."""

from __future__ import annotations

from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from engine.compose.dkim import Signer
from engine.compose.signed import sign_mail
from engine.keys import dkim_record

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
HEAD = b"From: Ida <ida@brevduva.example>\r\nTo: <siv@example.org>\r\nSubject: Re:  Hej \r\n och  adj\xc3\xb6\r\n"


@pytest.mark.parametrize(
    "mail",
    [
        HEAD + b"\r\nHej\r\n",
        HEAD + b"\r\n",
        HEAD + b"\r\n\r\n\r\n",
        HEAD + b"\r\n  Hej \t du  \r\n\r\n \r\nslut \r\n\r\n \r\n",
        HEAD + b"MIME-Version: 1.0\r\nMIME-Version: 2.0\r\nContent-Type: text/plain\r\n\r\nHej\r\n",
    ],
)
def test_a_signed_mail_verifies(mail: bytes) -> None:
    signed = sign_mail(mail, [Signer("brevduva.example", "b1", KEY)], NOW)
    assert signed.endswith(mail)
    assert dkim.verify(signed, dnsfunc=lambda name, timeout=5: dkim_record(KEY).encode())


def test_a_changed_letter_does_not_verify() -> None:
    signed = sign_mail(HEAD + b"\r\nHej\r\n", [Signer("brevduva.example", "b1", KEY)], NOW)
    changed = signed.replace(b"\r\nHej\r\n", b"\r\nNej\r\n")
    assert not dkim.verify(changed, dnsfunc=lambda name, timeout=5: dkim_record(KEY).encode())
