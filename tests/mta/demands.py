"""What domains may publish about TLS, and what has to become of a mail to each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TRUSTED = "trusted"
"""Signed, through an office, by an authority that our system trusts, for the host's own name."""
STRANGER = "stranger"
"""Signed, through an office, by an authority that nobody knows, for the host's own name."""
MISNAMED = "misnamed"
"""As `STRANGER`, for another name."""
MISNAMED_TRUSTED = "misnamed-trusted"
"""As `TRUSTED`, for another name."""
EXPIRED = "expired"
"""As `STRANGER`, and its days are over."""
NO_TLS = ""
"""The host offers no STARTTLS."""


class Tlsa(Enum):
    """TLSA records: usage, selector and matching type (RFC 6698 2.1), and of which certificate of the chain."""

    EE_KEY = (3, 1, 1, 0)
    EE_KEY_LONG = (3, 1, 2, 0)
    EE_CERTIFICATE = (3, 0, 1, 0)
    EE_WHOLE = (3, 0, 0, 0)
    TA_KEY = (2, 1, 1, 1)
    TA_CERTIFICATE = (2, 0, 1, 1)
    EE_OF_ANOTHER = (3, 1, 1, None)
    TA_OF_ANOTHER = (2, 0, 1, None)
    UNUSABLE = (1, 1, 1, 0)

    def text(self, chain: Sequence[bytes]) -> str:
        """The record for a chain of DER certificates."""
        usage, selector, matching, place = self.value
        content = b"another" if place is None else _selected(chain[place], selector)
        data = {0: content, 1: hashlib.sha256(content).digest(), 2: hashlib.sha512(content).digest()}[matching]
        return f"{usage} {selector} {matching} {data.hex()}"


def _selected(certificate: bytes, selector: int) -> bytes:
    if selector == 0:
        return certificate
    key = x509.load_der_x509_certificate(certificate).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, slots=True)
class Case:
    """One domain: what its host presents, what it publishes, and how a mail to it must arrive, None for not at all.

    `sts` is the mode of its MTA-STS policy; `named` is whether the policy names its host, `vouched` whether the policy
    host's certificate is trusted. `spoilt` are the types of record whose DNSSEC signatures are wrong.
    """

    name: str
    certificate: str
    arrives: str | None
    tlsa: tuple[Tlsa, ...] = ()
    sts: str = ""
    named: bool = True
    vouched: bool = True
    is_signed: bool = True
    spoilt: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        return f"{self.name}.example" if self.is_signed else f"{self.name}.test"

    @property
    def host(self) -> str:
        return f"mx.{self.domain}"


PLAIN, ANY_TLS, DANE, MTA_STS = "plain", "tls", "dane", "mta-sts"

CASES = (
    Case("nothing", STRANGER, ANY_TLS),
    Case("nothing-plain", NO_TLS, PLAIN),
    Case("ee-key", STRANGER, DANE, (Tlsa.EE_KEY,)),
    Case("ee-key-long", STRANGER, DANE, (Tlsa.EE_KEY_LONG,)),
    Case("ee-certificate", STRANGER, DANE, (Tlsa.EE_CERTIFICATE,)),
    Case("ee-whole", STRANGER, DANE, (Tlsa.EE_WHOLE,)),
    Case("ee-one-of-two", STRANGER, DANE, (Tlsa.EE_OF_ANOTHER, Tlsa.EE_KEY)),
    Case("ee-misnamed", MISNAMED, DANE, (Tlsa.EE_KEY,)),
    Case("ee-expired", EXPIRED, DANE, (Tlsa.EE_KEY,)),
    Case("ee-wrong", TRUSTED, None, (Tlsa.EE_OF_ANOTHER,)),
    Case("ee-no-tls", NO_TLS, None, (Tlsa.EE_OF_ANOTHER,)),
    Case("ta-key", STRANGER, DANE, (Tlsa.TA_KEY,)),
    Case("ta-certificate", STRANGER, DANE, (Tlsa.TA_CERTIFICATE,)),
    Case("ta-wrong", TRUSTED, None, (Tlsa.TA_OF_ANOTHER,)),
    Case("ta-misnamed", MISNAMED, None, (Tlsa.TA_CERTIFICATE,)),
    Case("ta-expired", EXPIRED, None, (Tlsa.TA_CERTIFICATE,)),
    Case("unusable", STRANGER, ANY_TLS, (Tlsa.UNUSABLE,)),
    Case("unusable-plain", NO_TLS, None, (Tlsa.UNUSABLE,)),
    Case("unsigned", STRANGER, ANY_TLS, (Tlsa.EE_OF_ANOTHER,), is_signed=False),
    Case("spoilt-mx", TRUSTED, None, spoilt=("MX",)),
    Case("spoilt-address", TRUSTED, None, spoilt=("A",)),
    Case("spoilt-tlsa", TRUSTED, None, (Tlsa.EE_KEY,), spoilt=("TLSA",)),
    Case("sts", TRUSTED, MTA_STS, sts="enforce", is_signed=False),
    Case("sts-stranger", STRANGER, None, sts="enforce", is_signed=False),
    Case("sts-misnamed", MISNAMED_TRUSTED, None, sts="enforce", is_signed=False),
    Case("sts-no-tls", NO_TLS, None, sts="enforce", is_signed=False),
    Case("sts-other-host", TRUSTED, None, sts="enforce", named=False, is_signed=False),
    Case("sts-forged", STRANGER, ANY_TLS, sts="enforce", named=False, vouched=False, is_signed=False),
    Case("sts-testing", STRANGER, ANY_TLS, sts="testing", named=False, is_signed=False),
    Case("sts-none", NO_TLS, PLAIN, sts="none", is_signed=False),
    Case("both", STRANGER, DANE, (Tlsa.EE_KEY,), sts="enforce"),
    Case("both-wrong", TRUSTED, None, (Tlsa.EE_OF_ANOTHER,), sts="enforce"),
)
