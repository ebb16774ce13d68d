"""One returned mail, read: its kind, a finding for each recipient, and what came back of our own mail."""

from __future__ import annotations

from dataclasses import replace

from config.vocabulary import Reason, Reply, ReportKind
from dsn_parser import arf, findings
from dsn_parser.address import find_addresses
from dsn_parser.classify import verdict_of
from dsn_parser.dmarc import read_dmarc_rows
from dsn_parser.dsn import StatusReport, read_status
from dsn_parser.headers import OverLimitError
from dsn_parser.mail import Mail, read_mail
from dsn_parser.notification import read_notification
from dsn_parser.original import looks_like_report, read_original, returned_mails, split_notice
from dsn_parser.prose.notice import names_anybody
from dsn_parser.recognise import recognise
from dsn_parser.report import DmarcRow, Finding, Report, TlsRow
from dsn_parser.tlsrpt import read_tls_rows

UNPARSEABLE = Report(ReportKind.UNPARSEABLE)
"""What stands for a mail that passes a limit or is damaged beyond reading: kept for the operator."""

INNER_LIMIT = 2
"""How deep reports that only pass another one on are followed."""

INNER_REPORTS_LIMIT = 20
"""How many reports are read out of one mail that collects them."""

_MAY_PASS_ON = frozenset({ReportKind.PLAIN_BOUNCE, ReportKind.PERSON, ReportKind.AUTO_REPLY})


def read_report(raw: bytes) -> Report:
    """Read one returned mail; never raises, a mail over a limit (THREATS, Parser) is of the kind unparseable."""
    try:
        return _read(read_mail(raw))
    except OverLimitError:
        return UNPARSEABLE


def _read(mail: Mail, wrapped: int = 0) -> Report:
    notice, quoted = split_notice(notice_text(mail))
    about = _about(mail)
    notification = read_notification(notice)
    if notification:
        kind, found, original = notification
        return replace(about, kind=kind, findings=found, original=original)
    kind = recognise(mail, notice, quoted)
    returned = returned_mails(mail, quoted)
    inner = _inner_report(returned, wrapped) if kind in _MAY_PASS_ON and not names_anybody(notice) else None
    if inner:
        return replace(about, kind=inner.kind, findings=inner.findings, original=inner.original)
    original = read_original(returned[0] if returned else b"")
    if kind in (ReportKind.DMARC_REPORT, ReportKind.TLS_REPORT):
        return replace(about, kind=kind, rows=_rows(kind, mail))
    return _judged(replace(about, kind=kind, original=original), mail, notice)


def _judged(report: Report, mail: Mail, notice: str) -> Report:
    """Add what the mail finds, by its kind, to the report about it."""
    original = report.original
    match report.kind:
        case ReportKind.FEEDBACK_REPORT:
            original = replace(original, envelope_id=arf.envelope_id(mail, notice))
            return replace(report, findings=arf.read_feedback(mail, notice, original), original=original)
        case ReportKind.DELIVERY_REPORT:
            status = read_status(mail, notice) or StatusReport()
            found = findings.from_status(status, mail, notice, original)
            return replace(report, findings=found, original=replace(original, envelope_id=status.envelope_id))
        case ReportKind.PLAIN_BOUNCE:
            return replace(report, findings=findings.from_notice(mail, notice, original))
        case ReportKind.UNSUBSCRIBE:
            verdict = verdict_of(Reason.OPT_OUT, "unsubscribe mail")
            return replace(report, findings=(Finding(report.sender, verdict, Reply(0)),))
        case _:
            return report


def _about(mail: Mail) -> Report:
    ids = mail.headers.get("in-reply-to").split() + mail.headers.get("references").split()[::-1]
    return Report(
        ReportKind.PERSON,
        in_reply_to=tuple(dict.fromkeys(word for word in ids if word.startswith("<") and word.endswith(">"))),
        subject=mail.headers.text("subject"),
        sender=next(iter(find_addresses(mail.headers.text("from"))), ""),
    )


def notice_text(mail: Mail) -> str:
    """What a mail says itself: its text parts before anything returned; HTML only where there is no plain text."""
    own = []
    for part in mail.parts:
        if part.is_embedded_message:
            break
        own.append(part)
    plain = [part.text for part in own if part.media_type == "text/plain"]
    return "\n\n".join(plain or [part.text for part in own if part.media_type.startswith("text/")])


def _inner_report(returned: list[bytes], wrapped: int) -> Report | None:
    """The bounces that a mail only passes on: some gateways and people send them wrapped in words of their own."""
    if wrapped >= INNER_LIMIT:
        return None
    raws = [raw for raw in returned[:INNER_REPORTS_LIMIT] if looks_like_report(raw)]
    reports = [report for raw in raws if (report := _read(read_mail(raw), wrapped + 1)).findings]
    if not any(finding.recipient for report in reports for finding in report.findings):
        return None
    return replace(reports[0], findings=tuple(finding for report in reports for finding in report.findings))


def _rows(kind: ReportKind, mail: Mail) -> tuple[DmarcRow | TlsRow, ...]:
    try:
        return read_dmarc_rows(mail) if kind is ReportKind.DMARC_REPORT else read_tls_rows(mail)
    except ValueError as damage:
        raise OverLimitError("damaged report") from damage
