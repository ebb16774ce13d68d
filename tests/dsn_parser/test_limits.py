"""Mails beyond the limits and twenty MIME bombs: unparseable or read, but never an exception and never slow."""

from __future__ import annotations

import base64
import gzip
import io
import time
import zipfile

import pytest

from config.vocabulary import ReportKind
from dsn_parser.headers import HEAD_LIMIT_BYTES, HEADER_LIMIT_BYTES
from dsn_parser.mail import DEPTH_LIMIT, PART_LIMIT
from dsn_parser.read_report import read_report
from dsn_parser.worker import CPU_LIMIT_SECONDS

MEGABYTE = 1_000_000
FROM = b"From: MAILER-DAEMON@example.org\nSubject: failure notice\n"


def nested(depth: int) -> bytes:
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(depth)
    )
    return FROM + head + b"\n<ida@example.org>: 550 5.1.1 user unknown\n"


def parts(count: int) -> bytes:
    return FROM + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nhej\n" * count + b"--b--\n"


def attached(content: bytes, name: str, media_type: str = "application/gzip") -> bytes:
    kind = f"Content-Type: {media_type}; name={name}\nContent-Transfer-Encoding: base64\n\n".encode()
    return (
        b"From: x@example.org\nSubject: Report Domain: a Submitter: b\nMIME-Version: 1.0\n"
        + kind
        + base64.encodebytes(content)
    )


def zipped(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.xml", content)
    return target.getvalue()


def bounce(text: bytes, extra: bytes = b"") -> bytes:
    return FROM + extra + b"\n" + text


NAME = "a!b!1!2.xml.gz"
BOMBS = {
    "a head without end": FROM + b"X-A: b\n" * 200_000,
    "one header of 9 kB": FROM + b"X-A: " + b"b" * 9_000 + b"\n\nhej",
    "a header folded 100,000 times": FROM + b"X-A: b\n" + b" c\n" * 100_000 + b"\nhej",
    "50 levels deep": nested(50),
    "10,000 levels deep": nested(10_000),
    "10,000 parts": parts(10_000),
    "a boundary that ends nowhere": FROM + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + b"\n--b" * 300_000,
    "messages in messages": FROM + b"Content-Type: message/rfc822\n\n" * 5_000,
    "gzip of 200 MB": attached(gzip.compress(bytes(200 * MEGABYTE), 9), NAME),
    "zip of 200 MB": attached(zipped(bytes(200 * MEGABYTE)), "a!b!1!2.zip", "application/zip"),
    "billion laughs": attached(
        gzip.compress(b'<!DOCTYPE f [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><feedback>&b;</feedback>'), NAME
    ),
    "XML 100,000 deep": attached(gzip.compress(b"<a>" * 100_000), NAME),
    "JSON 1,000,000 deep": bounce(b"{" + b'"a":[' * MEGABYTE),
    "one line of 10 MB": bounce(b"a" * 10 * MEGABYTE),
    "10 MB of at signs": bounce(b"@" * 10 * MEGABYTE),
    "10 MB of open brackets": bounce(b"<" * 10 * MEGABYTE, b"Content-Type: text/html\n"),
    "100,000 recipients": bounce(b"".join(b"<u%d@example.org>: 550 no\n" % number for number in range(100_000))),
    "100,000 status records": FROM
    + b"Content-Type: message/delivery-status\n\n"
    + b"".join(b"Final-Recipient: rfc822; u%d@example.org\nAction: failed\n\n" % number for number in range(100_000)),
    "one field continued 500,000 times": FROM
    + b"Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.example\nDiagnostic-Code: smtp; 550\n"
    + b" no\n" * 500_000,
    "damaged base64 of 10 MB": bounce(b"=?" * 5 * MEGABYTE, b"Content-Transfer-Encoding: base64\n"),
    "encoded words without end": FROM + b"X-A: b\nTo: " + b"=?utf-8?q?" * 700 + b"\n\nhej",
    "quoted-printable of 10 MB": bounce(b"=" * 10 * MEGABYTE, b"Content-Transfer-Encoding: quoted-printable\n"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_harmless(name: str) -> None:
    started = time.process_time()
    read_report(BOMBS[name])
    assert time.process_time() - started < CPU_LIMIT_SECONDS / 2


@pytest.mark.parametrize(
    "mail",
    [
        FROM + b"X-A: b\n" * (HEAD_LIMIT_BYTES // 7) + b"\nhej",
        FROM + b"X-A: " + b"b" * HEADER_LIMIT_BYTES + b"\n\nhej",
        nested(DEPTH_LIMIT + 1),
        parts(PART_LIMIT + 1),
        BOMBS["gzip of 200 MB"],
        BOMBS["billion laughs"],
    ],
)
def test_a_mail_over_a_limit_is_unparseable(mail: bytes) -> None:
    assert read_report(mail).kind is ReportKind.UNPARSEABLE


@pytest.mark.parametrize(
    "mail", [nested(DEPTH_LIMIT), FROM + b"X-A: b\n" * 1000 + b"\n<ida@example.org>: 550 no such user"]
)
def test_a_mail_within_the_limits_is_read(mail: bytes) -> None:
    assert [finding.recipient for finding in read_report(mail).findings] == ["ida@example.org"]
