"""Delivery status fields are read wherever and however they stand."""

from __future__ import annotations

import pytest

from dsn_parser.dsn import StatusReport, has_status, read_status, without_status
from dsn_parser.mail import read_mail


def read(fields: str) -> StatusReport:
    report = read_status(read_mail(b"Content-Type: message/delivery-status\n\n" + fields.encode()), "")
    assert report
    return report


def test_each_recipient_has_a_record_and_the_message_its_own_fields() -> None:
    report = read(
        "Reporting-MTA: dns; mx.example.org\nOriginal-Envelope-Id: 7kq2\n\n"
        "Final-Recipient: rfc822; ida@example.org\nOriginal-Recipient: rfc822; i@example.net\n"
        "Action: failed\nStatus: 5.1.1\n"
        "Remote-MTA: dns; mx2.example.org\nDiagnostic-Code: smtp; 550 5.1.1\n    user unknown\n\n"
        "Final-Recipient: RFC822; <ola@example.org>\nAction: DELAYED (later)\nStatus: 4.2.2\n"
    )
    assert (report.reporting_mta, report.envelope_id) == ("mx.example.org", "7kq2")
    ida, ola = report.records
    assert (ida.recipient, ida.original_recipient, ida.action, ida.status) == (
        "ida@example.org",
        "i@example.net",
        "failed",
        "5.1.1",
    )
    assert (ida.remote_mta, ida.diagnostic, ida.quoted_answer) == (
        "mx2.example.org",
        "smtp; 550 5.1.1 user unknown",
        "",
    )
    assert (ola.recipient, ola.action) == ("ola@example.org", "delayed")


def test_records_without_a_blank_line_between_them_are_told_apart() -> None:
    records = read(
        "Final-Recipient: rfc822; a@example.org\nAction: failed\n"
        "Final-Recipient: rfc822; b@example.org\nAction: failed\n"
    ).records
    assert [record.recipient for record in records] == ["a@example.org", "b@example.org"]


def test_a_local_name_gives_way_to_the_address_that_was_asked_for() -> None:
    (record,) = read(
        "Original-Recipient: rfc822;ida@example.org\nFinal-Recipient: LOCAL; ida\nAction: failed\n"
    ).records
    assert record.recipient == "ida@example.org"


def test_what_a_gateway_quotes_of_the_other_server_is_told_from_its_guess() -> None:
    words = "5.1.0 - Unknown address error 550-'5.7.1 Access denied' (delivery attempts: 0)"
    (record,) = read(f"Final-Recipient: rfc822; a@example.org\nDiagnostic-Code: smtp; {words}\n").records
    assert record.quoted_answer == "550 5.7.1 Access denied"


@pytest.mark.parametrize("action", ["", "Action: nonsense\n"])
def test_an_unknown_action_is_none(action: str) -> None:
    assert read(f"Final-Recipient: rfc822; a@example.org\n{action}").records[0].action == ""


def test_fields_written_into_the_notice_are_read() -> None:
    notice = "It failed.\n\nTechnical report:\n\nFinal-Recipient: rfc822; a@example.org\nStatus: 5.2.2\n"
    mail = read_mail(b"\n")
    report = read_status(mail, notice)
    assert has_status(mail, notice)
    assert report and [(record.recipient, record.status) for record in report.records] == [("a@example.org", "5.2.2")]
    assert without_status(notice).rstrip() == "It failed.\n\nTechnical report:"


def test_a_mail_without_fields_has_none() -> None:
    assert read_status(read_mail(b"\n"), "The status: bad") is None
