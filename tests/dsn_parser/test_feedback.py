"""Feedback reports: what each type does to the address, and whom it is about when the receiver hides it."""

from __future__ import annotations

import pytest

from config.vocabulary import Action, Fault, ReportKind, VerdictStatus
from dsn_parser.arf import verdict_on
from dsn_parser.read_report import read_report

ORIGINAL = b"Return-Path: <b+7kq2.mac@studs.example>\nMessage-ID: <1@a.example>\nX-Brevduva-Token: 7kq2.mac\n%s\nhej\n"


def feedback(fields: bytes, original: bytes = b"") -> bytes:
    return (
        b"From: fbl@example.org\nSubject: report\n"
        b"Content-Type: multipart/report; report-type=feedback-report; boundary=gran\n\n"
        b"--gran\nContent-Type: message/feedback-report\n\n"
        + fields
        + b"\n--gran\nContent-Type: message/rfc822\n\n"
        + ORIGINAL % original
        + b"\n--gran--\n"
    )


@pytest.mark.parametrize(
    ("kind", "status", "action"),
    [
        ("abuse", VerdictStatus.SPAM, Action.SUPPRESS),
        ("Fraud", VerdictStatus.SPAM, Action.SUPPRESS),
        ("opt-out", VerdictStatus.UNSUBSCRIBED, Action.SUPPRESS),
        ("auth-failure", VerdictStatus.NONE, Action.NONE),
        ("not-spam", VerdictStatus.NONE, Action.NONE),
        ("virus", VerdictStatus.NONE, Action.NONE),
        ("other", VerdictStatus.NONE, Action.NONE),
        ("something new", VerdictStatus.NONE, Action.NONE),
    ],
)
def test_a_feedback_type_means(kind: str, status: VerdictStatus, action: Action) -> None:
    verdict = verdict_on(kind)
    assert (verdict.status, verdict.action) == (status, action)


def test_an_authentication_failure_is_about_our_domain() -> None:
    (finding,) = read_report(
        feedback(b"Feedback-Type: abuse\nAuth-Failure: dmarc\nOriginal-Rcpt-To: ida@example.org\n")
    ).findings
    assert finding.verdict.fault is Fault.OURS


def test_every_recipient_named_has_a_finding() -> None:
    report = read_report(
        feedback(b"Feedback-Type: abuse\nOriginal-Rcpt-To: <ida@example.org>\nOriginal-Rcpt-To: ola@example.org\n")
    )
    assert [finding.recipient for finding in report.findings] == ["ida@example.org", "ola@example.org"]


def test_a_hidden_recipient_leaves_the_token_to_tell() -> None:
    report = read_report(feedback(b"Feedback-Type: abuse\nOriginal-Rcpt-To: redacted\n"))
    assert [finding.recipient for finding in report.findings] == [""]
    assert report.original.token == "7kq2.mac"


def test_the_returned_mail_tells_when_the_fields_do_not() -> None:
    report = read_report(
        feedback(b"Feedback-Type: abuse\nOriginal-Envelope-Id: 7kq2\n", b"To: Ida <ida@example.org>\n")
    )
    assert [finding.recipient for finding in report.findings] == ["ida@example.org"]
    assert report.original.envelope_id == "7kq2"


def test_feedback_fields_in_plain_text_are_read() -> None:
    report = read_report(
        b"From: fbl@example.org\nSubject: x\n\nA complaint.\n\n"
        b"Feedback-Type: abuse\nVersion: 1\nOriginal-Rcpt-To: ida@example.org\n\n"
    )
    assert report.kind is ReportKind.FEEDBACK_REPORT
    assert [finding.recipient for finding in report.findings] == ["ida@example.org"]
