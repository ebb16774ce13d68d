"""The hosts of the cases: what each presents as its certificate, and what its domain publishes."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from tests.mta.demands import EXPIRED, MISNAMED, MISNAMED_TRUSTED, NO_TLS, TRUSTED, Case
from tests.mta.server import write

POLICY_HOST, FORGER = "127.0.28.1", "127.0.28.2"
"""Where policies are served under a trusted certificate, and where under a stranger's."""
_CERTIFICATES = Path("/etc/ssl/island")


class Authorities:
    """Who signs: one authority that the system trusts and one that nobody knows, each through an office of its own."""

    def __init__(self) -> None:
        self.trusted, self.stranger = trustme.CA(), trustme.CA()
        self._offices = {True: self.trusted.create_child_ca(), False: self.stranger.create_child_ca()}

    def issue(self, case: Case) -> trustme.LeafCert:
        office = self._offices[case.certificate in (TRUSTED, MISNAMED_TRUSTED)]
        is_misnamed = case.certificate in (MISNAMED, MISNAMED_TRUSTED)
        name = "elsewhere.test" if is_misnamed else case.host
        yesterday = datetime.now(UTC) - timedelta(days=1)
        return office.issue_cert(name, not_after=yesterday if case.certificate == EXPIRED else None)


@dataclass(frozen=True, slots=True)
class Host:
    """One domain's exchanger: its address, and the chain it presents."""

    case: Case
    address: str
    certificate: trustme.LeafCert

    @property
    def chain(self) -> list[bytes]:
        return [ssl.PEM_cert_to_DER_cert(pem.bytes().decode()) for pem in self.certificate.cert_chain_pems]

    def door(self) -> str:
        """Its line in Postfix's table of doors; writes the certificate it names."""
        if self.case.certificate == NO_TLS:
            return f"{self.address}:25 inet n - n - - smtpd -o smtpd_tls_security_level=none"
        file = write(_CERTIFICATES / f"{self.case.host}.pem", "")
        self.certificate.private_key_and_cert_chain_pem.write_to_path(str(file))
        return f"{self.address}:25 inet n - n - - smtpd -o smtpd_tls_security_level=may -o smtpd_tls_chain_files={file}"

    def records(self) -> Iterator[str]:
        """What stands in DNS about the domain, in master file form."""
        case = self.case
        yield f"{case.domain}. MX 10 {case.host}."
        yield f"{case.host}. A {self.address}"
        for tlsa in case.tlsa:
            yield f"_25._tcp.{case.host}. TLSA {tlsa.text(self.chain)}"
        if case.sts:
            yield f'_mta-sts.{case.domain}. TXT "v=STSv1; id=1;"'
            yield f"mta-sts.{case.domain}. A {POLICY_HOST if case.vouched else FORGER}"

    def spoilt(self) -> Iterator[tuple[str, str]]:
        owners = {"MX": self.case.domain, "A": self.case.host, "TLSA": f"_25._tcp.{self.case.host}"}
        return ((owners[kind], kind) for kind in self.case.spoilt)


def policy_of(case: Case) -> str:
    lines = (f"mx: {case.host if case.named else 'mx.elsewhere.test'}", "max_age: 86400", "")
    return "\r\n".join(("version: STSv1", f"mode: {case.sts}", *lines))
