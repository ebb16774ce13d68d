"""One returned mail, read: its kind, a finding for each recipient, and what came back of our own mail."""

from __future__ import annotations

from dataclasses import replace

from config.vocabulary import Reason, ReportKind, Reply
from dsn_parser import arf
from dsn_parser.address import find_addresses, recipient_of_verp
from dsn_parser.classify import verdict_of
from dsn_parser.dmarc import read_dmarc_rows
from dsn_parser.dsn import StatusRecord, StatusReport, read_status
from dsn_parser.judge import judge
from dsn_parser.mail import Mail, OverLimitError, read_mail
from dsn_parser.notification import read_notification
from dsn_parser.original import looks_like_report, read_original, returned_headers, returned_mail, split_notice
from dsn_parser.prose.notice import Notice, find_recipients, read_notice
from dsn_parser.prose.signs import says_late
from dsn_parser.recognise import recognise
from dsn_parser.report import DmarcRow, Finding, Original, Report, TlsRow
from dsn_parser.tlsrpt import read_tls_rows

UNPARSEABLE = Report(ReportKind.UNPARSEABLE)
"""What stands for a mail that passes a limit or is damaged beyond reading: kept for the operator."""


INNER_LIMIT = 2
"""So often a report may stand inside another that only passed it on."""


def read_report(raw: bytes) -> Report:
    """Read one returned mail; never raises, a mail over a limit (THREATS, Parser) is of the kind unparseable."""
    try:
        return _read(read_mail(raw))
    except OverLimitError:
        return UNPARSEABLE


def _read(mail: Mail, passed_on: int = 0) -> Report:
    notice, quoted = split_notice(notice_text(mail))
    about = Report(
        ReportKind.PERSON,
        in_reply_to=_references(mail),
        subject=mail.headers.text("subject"),
        sender=next(iter(find_addresses(mail.headers.text("from"))), ""),
    )
    notification = read_notification(notice)
    if notification:
        findings, original = notification
        return replace(about, kind=_kind_of(findings), findings=findings, original=original)
    kind = recognise(mail, notice)
    inner = _inner_report(mail, quoted, passed_on) if kind in _MAY_PASS_ON else None
    if inner and not find_recipients(notice):
        return replace(about, kind=inner.kind, findings=inner.findings, original=inner.original)
    original = read_original(returned_headers(returned_mail(mail, quoted)))
    match kind:
        case ReportKind.DMARC_REPORT | ReportKind.TLS_REPORT:
            return replace(about, kind=kind, rows=_rows(kind, mail))
        case ReportKind.FEEDBACK_REPORT:
            original = replace(original, envelope_id=arf.envelope_id(mail, notice))
            return replace(about, kind=kind, findings=arf.read_feedback(mail, notice, original), original=original)
        case ReportKind.DELIVERY_REPORT:
            return _read_delivery_report(mail, notice, original, about)
        case ReportKind.PLAIN_BOUNCE:
            return replace(about, kind=kind, findings=_prose_findings(mail, notice, original), original=original)
        case ReportKind.UNSUBSCRIBE:
            finding = Finding(about.sender, verdict_of(Reason.OPT_OUT, "unsubscribe mail"), Reply(0))
            return replace(about, kind=kind, findings=(finding,), original=original)
        case _:
            return replace(about, kind=kind, original=original)


_MAY_PASS_ON = frozenset({ReportKind.PLAIN_BOUNCE, ReportKind.PERSON, ReportKind.AUTO_REPLY})


def _inner_report(mail: Mail, quoted: str, passed_on: int) -> Report | None:
    """The bounce that a mail only passes on: some gateways and people send one wrapped in words of their own."""
    if passed_on >= INNER_LIMIT:
        return None
    raw = returned_mail(mail, quoted)
    report = _read(read_mail(raw), passed_on + 1) if looks_like_report(raw) else None
    return report if report and any(finding.recipient for finding in report.findings) else None


def notice_text(mail: Mail) -> str:
    """What a mail says itself: its text parts before anything returned; HTML only where there is no plain text."""
    own = []
    for part in mail.parts:
        if part.is_embedded_message:
            break
        own.append(part)
    plain = [part.text for part in own if part.media_type == "text/plain"]
    return "\n\n".join(plain or [part.text for part in own if part.media_type.startswith("text/")])


def _references(mail: Mail) -> tuple[str, ...]:
    """The message-ids that a mail answers, nearest first (RFC 5322 3.6.4)."""
    ids = mail.headers.get("in-reply-to").split() + mail.headers.get("references").split()[::-1]
    return tuple(dict.fromkeys(word for word in ids if word.startswith("<") and word.endswith(">")))


def _rows(kind: ReportKind, mail: Mail) -> tuple[DmarcRow | TlsRow, ...]:
    try:
        return read_dmarc_rows(mail) if kind is ReportKind.DMARC_REPORT else read_tls_rows(mail)
    except ValueError as damage:
        raise OverLimitError("damaged report") from damage


def _kind_of(findings: tuple[Finding, ...]) -> ReportKind:
    complaint = any(finding.verdict.reason is Reason.COMPLAINT for finding in findings)
    return ReportKind.FEEDBACK_REPORT if complaint else ReportKind.DELIVERY_REPORT


def _read_delivery_report(mail: Mail, text: str, original: Original, about: Report) -> Report:
    status = read_status(mail, text) or StatusReport()
    original = replace(original, envelope_id=status.envelope_id)
    records = [record for record in status.records if record.recipient]
    if not records:
        nameless = status.records[0] if status.records else StatusRecord()
        findings = _prose_findings(mail, text, original, nameless)
    else:
        notice = read_notice(text, tuple(record.recipient for record in records))
        findings = tuple(_finding(record, notice, status, about.subject) for record in records)
    return replace(about, kind=ReportKind.DELIVERY_REPORT, findings=_once_each(findings), original=original)


def _finding(record: StatusRecord, notice: Notice, status: StatusReport, subject: str) -> Finding:
    action = record.action or "failed"
    words = (record.diagnostic, *notice.candidates_for(record.recipient), subject)
    reply, verdict = judge(
        words, status=record.status, action=action, site=record.remote_mta or _domain(record.recipient)
    )
    return Finding(
        record.recipient, verdict, reply, action, record.original_recipient, status.reporting_mta, record.remote_mta
    )


def _prose_findings(
    mail: Mail, text: str, original: Original, record: StatusRecord | None = None
) -> tuple[Finding, ...]:
    record = record or StatusRecord()
    named = tuple(find_addresses(mail.headers.text("x-failed-recipients")))
    notice = read_notice(text, named)
    subject = mail.headers.text("subject")
    action = record.action or ("delayed" if says_late(subject, text) else "failed")
    found = notice.recipients or _last_resort(mail, original)
    findings = []
    for recipient in found or [""]:
        words = (record.diagnostic, *notice.candidates_for(recipient), subject)
        reply, verdict = judge(words, status=record.status, action=action, site=_domain(recipient))
        alias = notice.aliases.get(recipient.lower(), "")
        findings.append(Finding(recipient, verdict, reply, action, alias))
    return _once_each(tuple(findings))


def _last_resort(mail: Mail, original: Original) -> list[str]:
    """Where the notice names nobody: whom the returned mail was for, else the name folded into the return path."""
    folded = [recipient_of_verp(address) for value in mail.headers.all("to") for address in find_addresses(value)]
    return list(original.recipients[:1]) or [address for address in folded if address]


def _once_each(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple({finding.recipient.lower(): finding for finding in reversed(findings)}.values())[::-1]


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
