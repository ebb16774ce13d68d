"""TLS reports (RFC 8460) recognised and read into rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dsn_parser.inflate import is_packed, unpack
from dsn_parser.json_values import as_number, as_object, as_objects, as_text, read_object
from dsn_parser.mail import Mail, Part
from dsn_parser.report import TlsRow
from dsn_parser.scan import any_of

ROW_LIMIT = 100_000

_TYPES = frozenset({"application/tlsrpt+gzip", "application/tlsrpt+json"})
_NAME = any_of(r"^[^!\s]+![^!\s]+!\d+!\d+.*\.json(?:\.gz)?$")


def is_tls_report(mail: Mail) -> bool:
    """Tell a TLS report by its type or its file's name (RFC 8460 5.1)."""
    return any(True for _ in _report_parts(mail))


def read_tls_rows(mail: Mail) -> tuple[TlsRow, ...]:
    """Read every result of the attached reports; raises OverLimitError past 25 MB, ValueError where one is damaged."""
    return tuple(row for part in _report_parts(mail) for row in read_tls_json(unpack(part)))


def _report_parts(mail: Mail) -> Iterator[Part]:
    declared = bool(mail.headers.get("tls-report-domain"))
    for part in mail.attachments:
        if part.media_type in _TYPES or _NAME.matches(part.filename) or (declared and is_packed(part)):
            yield part


def read_tls_json(document: bytes) -> tuple[TlsRow, ...]:
    """Read the rows of one report: failures one by one, and the successes of each policy as one row."""
    report = read_object(document)
    rows = (
        row
        for policy in as_objects(report.get("policies"))
        for row in _rows(as_text(report.get("organization-name")), policy)
    )
    return tuple(row for _, row in zip(range(ROW_LIMIT), rows, strict=False))


def _rows(reporter: str, entry: Mapping[str, object]) -> Iterator[TlsRow]:
    policy = as_object(entry.get("policy"))
    kind, domain = as_text(policy.get("policy-type")), as_text(policy.get("policy-domain"))
    successes = as_number(as_object(entry.get("summary")).get("total-successful-session-count"))
    yield TlsRow(reporter, domain, kind, "", successes)
    for failure in as_objects(entry.get("failure-details")):
        yield TlsRow(
            reporter,
            domain,
            kind,
            as_text(failure.get("result-type")),
            as_number(failure.get("failed-session-count")),
            as_text(failure.get("receiving-mx-hostname")),
            as_text(failure.get("sending-mta-ip")),
            as_text(failure.get("failure-reason-code") or failure.get("additional-information")),
        )
