"""DMARC and TLS reports become rows; damaged, oversized and hostile ones are refused."""

from __future__ import annotations

import orjson
import pytest

from config.vocabulary import ReportKind
from dsn_parser.dmarc import read_dmarc_xml
from dsn_parser.headers import OverLimitError
from dsn_parser.read_report import read_report
from dsn_parser.report import DmarcRow, TlsRow
from dsn_parser.tlsrpt import read_tls_json
from tests.dsn_parser.corpus import OWN_MAILS

RECORD = b"<record><row><source_ip>192.0.2.7</source_ip><count>%s</count></row></record>"


@pytest.mark.parametrize("name", ["dmarc_gzip", "dmarc_zip"])
def test_a_dmarc_report_is_read_into_rows(name: str) -> None:
    report = read_report((OWN_MAILS / f"{name}.eml").read_bytes())
    assert report.rows == (
        DmarcRow(
            reporter="Mottagare",
            domain="forening.example",
            source_ip="192.0.2.7",
            count=42,
            disposition="none",
            dkim="pass",
            spf="pass",
            header_from="forening.example",
            begin_epoch_seconds=1740960000,
            end_epoch_seconds=1741046399,
        ),
        DmarcRow(
            reporter="Mottagare",
            domain="forening.example",
            source_ip="198.51.100.9",
            count=3,
            disposition="reject",
            dkim="fail",
            spf="fail",
            header_from="forening.example",
            begin_epoch_seconds=1740960000,
            end_epoch_seconds=1741046399,
        ),
    )


def test_a_tls_report_is_read_into_rows() -> None:
    report = read_report((OWN_MAILS / "tls_gzip.eml").read_bytes())
    assert report.rows == (
        TlsRow("Mottagare", "forening.example", "sts", "", 12),
        TlsRow(
            "Mottagare", "forening.example", "sts", "certificate-expired", 2, "mx.forening.example", "192.0.2.25", ""
        ),
    )


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<feedback>",
        b"no xml",
        b"<!DOCTYPE feedback><feedback/>",
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE feedback SYSTEM "http://192.0.2.1/x"><feedback/>'.encode(
            "utf-16"
        ),
        b"<a>" * 100,
    ],
)
def test_a_damaged_or_hostile_document_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError):
        read_dmarc_xml(document)


@pytest.mark.parametrize(
    ("written", "count"), [(b"7", 7), (b"", 0), (b"-1", 0), (b"9" * 500, 10**18 - 1), ("٣".encode(), 0)]
)
def test_a_count_is_a_number_or_nought(written: bytes, count: int) -> None:
    assert [row.count for row in read_dmarc_xml(b"<feedback>" + RECORD % written + b"</feedback>")] == [count]


@pytest.mark.parametrize("document", [[], {"policies": 1}, {"policies": [{"policy": [], "summary": None}]}, 7])
def test_a_tls_report_of_another_shape_has_hardly_any_rows(document: object) -> None:
    assert all(row.sessions == 0 for row in read_tls_json(orjson.dumps(document)))


def test_a_report_that_cannot_be_read_is_unparseable() -> None:
    raw = (OWN_MAILS / "tls_gzip.eml").read_bytes().replace(b"H4sI", b"AAAA")
    assert read_report(raw).kind is ReportKind.UNPARSEABLE


def test_over_limit_is_a_value_error_of_its_own() -> None:
    assert issubclass(OverLimitError, ValueError)
