"""TLS as a receiver's domain demands it: the contexts, and whether a certificate is the one that was promised."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from config.vocabulary import Tlsa, TlsDemand

DANE = "dane"
MTA_STS = "mta-sts"
_TRUST_ANCHOR, _END_ENTITY = 2, 3
_OF_AUTHORITIES = ExtensionPolicy.webpki_defaults_ca()
# Private authorities mark extensions as they like; what counts is the name.
_OF_HOSTS = ExtensionPolicy.permit_all().require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
_DIGEST = {1: hashlib.sha256, 2: hashlib.sha512}


@cache
def opportunistic_context() -> ssl.SSLContext:
    """Encrypts against listeners on the wire and asks no certificate's name (RFC 7435); TLS 1.2 or newer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@cache
def verifying_context() -> ssl.SSLContext:
    """Trusts the system's authorities and checks the host's name (RFC 8461 4.2)."""
    return ssl.create_default_context()


def describe_tls(connection: ssl.SSLObject, demand: TlsDemand) -> str:
    """Version, cipher and what proved the receiver's identity, for the history."""
    cipher = connection.cipher()
    return " ".join((connection.version() or "TLS", cipher[0] if cipher else "", demand.policy)).strip()


def matches_tlsa(chain: Sequence[bytes], demand: TlsDemand, now: datetime | None = None) -> bool:
    """Whether a chain of DER certificates, the host's first, fulfils one TLSA record (RFC 7672 3.1).

    DANE-EE looks at the key or certificate alone, not at names or dates; DANE-TA wants a valid path to the anchor and
    one of `demand.names` on the host's certificate. Dates are judged by the machine's own time, as OpenSSL does.
    """
    at = now or datetime.now(UTC)
    try:
        return any(_matches(record, chain, demand.names, at) for record in demand.tlsa)
    except (ValueError, UnsupportedAlgorithm):  # a certificate that cannot be read proves nothing
        return False


def _matches(record: Tlsa, chain: Sequence[bytes], names: tuple[str, ...], now: datetime) -> bool:
    if record.usage == _END_ENTITY:
        return bool(chain) and _is_meant(record, chain[0])
    if record.usage == _TRUST_ANCHOR:
        anchors = [certificate for certificate in chain[1:] if _is_meant(record, certificate)]
        return any(_leads_to(anchor, chain, name, now) for anchor in anchors for name in names)
    return False


def _is_meant(record: Tlsa, certificate: bytes) -> bool:
    """Compare selected content with the record's data (RFC 6698 2.1.2, 2.1.3)."""
    content = certificate if record.selector == 0 else _public_key(certificate)
    digest = _DIGEST.get(record.matching)
    return (digest(content).digest() if digest else content) == record.data


def _public_key(certificate: bytes) -> bytes:
    key = x509.load_der_x509_certificate(certificate).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _leads_to(anchor: bytes, chain: Sequence[bytes], name: str, now: datetime) -> bool:
    """Whether the chain is a valid path from the anchor to a certificate that bears the name."""
    leaf, *between = (x509.load_der_x509_certificate(certificate) for certificate in chain)
    store = Store([x509.load_der_x509_certificate(anchor)])
    policy = PolicyBuilder().store(store).time(now).extension_policies(ca_policy=_OF_AUTHORITIES, ee_policy=_OF_HOSTS)
    try:
        policy.build_server_verifier(x509.DNSName(name)).verify(leaf, between)
    except VerificationError:
        return False
    return True
