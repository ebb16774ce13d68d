"""Certificates against TLSA records, in the hand and over the wire."""

from __future__ import annotations

import hashlib
import ssl
from datetime import UTC, datetime

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from config.vocabulary import Host, Stage, Tlsa, TlsDemand
from engine.deliver.attempt import Attempt
from engine.deliver.session import Dialler, Unreachable
from engine.deliver.tls import matches_tlsa
from tests.deliver.posts import PATIENT, envelope
from tests.fakes.mx import FakeMx

NAME, DOMAIN = "mx1.example.org", "example.org"


class Certificates:
    """A host's chain: its own certificate and the authority's, both sent."""

    def __init__(self, name: str = NAME) -> None:
        self.authority = trustme.CA()
        self.issued = self.authority.issue_cert(name)
        leaf = ssl.PEM_cert_to_DER_cert(self.issued.cert_chain_pems[0].bytes().decode())
        anchor = ssl.PEM_cert_to_DER_cert(self.authority.cert_pem.bytes().decode())
        self.chain = [leaf, anchor]

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        whole = b"".join((self.issued.private_key_pem.bytes(), self.issued.cert_chain_pems[0].bytes()))
        with trustme.Blob(whole + self.authority.cert_pem.bytes()).tempfile() as path:
            context.load_cert_chain(path)
        return context

    def record(self, usage: int, selector: int, matching: int) -> Tlsa:
        certificate = self.chain[0 if usage == 3 else 1]
        content = certificate if selector == 0 else key_of(certificate)
        digest = {0: content, 1: hashlib.sha256(content).digest(), 2: hashlib.sha512(content).digest()}
        return Tlsa(usage, selector, matching, digest[matching])


def key_of(certificate: bytes) -> bytes:
    key = x509.load_der_x509_certificate(certificate).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def dane(*records: Tlsa, names: tuple[str, ...] = (NAME, DOMAIN)) -> TlsDemand:
    return TlsDemand("dane", names, records)


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return Certificates()


@pytest.mark.parametrize("usage", [2, 3])
@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_each_kind_of_record_finds_its_certificate(
    certificates: Certificates, usage: int, selector: int, matching: int
) -> None:
    record = certificates.record(usage, selector, matching)
    assert matches_tlsa(certificates.chain, dane(record))
    assert not matches_tlsa(Certificates().chain, dane(record))


def test_one_record_of_several_is_enough(certificates: Certificates) -> None:
    old, new = Certificates().record(3, 1, 1), certificates.record(3, 1, 1)
    assert matches_tlsa(certificates.chain, dane(old, new))


def test_the_hosts_own_key_counts_whatever_its_name_and_date(certificates: Certificates) -> None:
    record = certificates.record(3, 1, 1)
    demand = dane(record, names=("other.example",))
    assert matches_tlsa(certificates.chain[:1], demand, datetime(1999, 1, 1, tzinfo=UTC))


def test_an_authority_vouches_only_for_the_hosts_names(certificates: Certificates) -> None:
    record = certificates.record(2, 1, 1)
    assert not matches_tlsa(certificates.chain, dane(record, names=("other.example",)))
    other = Certificates(DOMAIN)
    assert matches_tlsa(other.chain, dane(other.record(2, 1, 1)))


def test_an_authority_vouches_for_no_certificate_out_of_date(certificates: Certificates) -> None:
    record = certificates.record(2, 0, 1)
    assert not matches_tlsa(certificates.chain, dane(record), datetime(1999, 1, 1, tzinfo=UTC))


def test_an_authority_that_is_only_sent_along_vouches_for_nothing(certificates: Certificates) -> None:
    stranger = Certificates()
    assert not matches_tlsa([stranger.chain[0], certificates.chain[1]], dane(certificates.record(2, 1, 1)))


def test_no_certificate_and_other_usages_prove_nothing(certificates: Certificates) -> None:
    record = certificates.record(3, 0, 0)
    assert not matches_tlsa([], dane(record))
    assert not matches_tlsa([b"no certificate"], dane(certificates.record(3, 1, 1)))
    assert not matches_tlsa(certificates.chain, dane(Tlsa(1, 0, 0, record.data)))


async def deliver(mx: FakeMx, demand: TlsDemand) -> Attempt:
    conversation = await Dialler("out.example", PATIENT).open(Host(NAME, ("127.0.0.1",), mx.port, demand), "127.0.0.1")
    waiting, attempts = [envelope()], list[Attempt]()
    await conversation.run(lambda: waiting.pop() if waiting else None, attempts.append)
    conversation.leave()
    return attempts[0]


@pytest.mark.parametrize("usage", [2, 3])
async def test_mail_goes_to_a_host_that_proves_itself_by_dane(certificates: Certificates, usage: int) -> None:
    async with FakeMx(tls=certificates.server_context()) as mx:
        attempt = await deliver(mx, dane(certificates.record(usage, 1, 1)))
    assert attempt.reply.code == 250
    assert attempt.tls.endswith(" dane")


@pytest.mark.parametrize("usage", [2, 3])
async def test_no_mail_goes_to_a_host_that_does_not(certificates: Certificates, usage: int) -> None:
    async with FakeMx(tls=certificates.server_context()) as mx:
        with pytest.raises(Unreachable) as caught:
            await deliver(mx, dane(Certificates().record(usage, 1, 1)))
        assert not any(command.startswith("MAIL") for command in mx.commands)
    assert caught.value.at is Stage.STARTTLS
    assert "TLSA" in caught.value.reply.text


async def test_encryption_without_proof_takes_any_certificate(certificates: Certificates) -> None:
    async with FakeMx(tls=certificates.server_context()) as mx:
        attempt = await deliver(mx, TlsDemand("encrypt"))
    assert attempt.tls.endswith(" encrypt")
