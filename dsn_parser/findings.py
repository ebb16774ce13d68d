"""A finding for each recipient: from the status fields where a report has them, else from the words of its notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial

from config.vocabulary import Reply, Verdict
from dsn_parser.address import find_addresses, recipient_of_verp
from dsn_parser.classify import RECIPIENTS_FAULTS, classify
from dsn_parser.dsn import StatusRecord, StatusReport, without_status
from dsn_parser.judge import judge
from dsn_parser.mail import Mail
from dsn_parser.prose.local_names import complete, find_local_names
from dsn_parser.prose.mentions import Part, find_mentions
from dsn_parser.prose.notice import Notice, read_notice, without_frame
from dsn_parser.prose.signs import says_late
from dsn_parser.prose.stage import refused_stage
from dsn_parser.report import Finding, Original
from dsn_parser.scan import Pattern

_NO_RECORD = StatusRecord()
_RECIPIENT_FIELDS = (
    "x-failed-recipients",
    "x-failed-recipient",
    "x-mailer-daemon-recipients",
    "x-original-recipientlist",
)

# OpenSMTPD reports the end of a mail's days in its queue as one more delay.
_DAYS_ARE_OVER = Pattern(r"(?i)envelope expired")


def from_status(status: StatusReport, mail: Mail, text: str, original: Original) -> tuple[Finding, ...]:
    """Read one finding a record; the notice is asked where a record says who but not why, or not even who."""
    records = [record for record in status.records if record.recipient]
    if not records:
        return from_notice(mail, text, original, next(iter(status.records), _NO_RECORD))
    named = tuple(record.recipient for record in records)
    notice = cache(partial(read_notice, without_status(text), named))
    subject = mail.headers.text("subject")
    return _once_each([_finding(record, status, notice, subject) for record in records])


def _finding(record: StatusRecord, status: StatusReport, notice: Callable[[], Notice], subject: str) -> Finding:
    is_over = record.action == "delayed" and _DAYS_ARE_OVER.matches(notice().words_for(record.recipient))
    record = replace(record, action="failed" if is_over or not record.action else record.action)
    reply, verdict = _judge(record, notice, subject, record.remote_mta or _domain(record.recipient))
    return Finding(
        recipient=record.recipient,
        verdict=verdict,
        reply=reply,
        action=record.action,
        original_recipient=record.original_recipient,
        reporting_mta=status.reporting_mta,
        remote_mta=record.remote_mta,
    )


def from_notice(mail: Mail, text: str, original: Original, record: StatusRecord = _NO_RECORD) -> tuple[Finding, ...]:
    """Read one finding for each address that the notice is about; `record` is what nameless status fields said."""
    ours = _our_addresses(mail, original)
    notice = read_notice(text, _named_in_fields(mail), ours)
    subject = mail.headers.text("subject")
    action = record.action or ("delayed" if says_late(subject, text) else "failed")
    findings = []
    for recipient in _meant(notice, ours, original) or _last_resort(mail, text, original):
        told = replace(record, recipient=recipient, action=action)
        reply, verdict = _judge(told, lambda: notice, subject, _domain(recipient))
        findings.append(Finding(recipient, verdict, reply, action, notice.aliases.get(recipient.lower(), "")))
    return _once_each(findings)


def _judge(record: StatusRecord, notice: Callable[[], Notice], subject: str, site: str) -> tuple[Reply, Verdict]:
    """Judge by the words; no recipient is at fault of a refusal that came before any was named."""
    words = _words(record, notice, subject)
    reply, verdict = judge(words, status=record.status, action=record.action, site=site)
    if verdict.fault not in RECIPIENTS_FAULTS:
        return reply, verdict
    stage = refused_stage(f"{record.diagnostic} {reply.text} {notice().words_for(record.recipient)}")
    return reply, classify(reply, site=site, action=record.action, stage=stage) if stage else verdict


def _our_addresses(mail: Mail, original: Original) -> frozenset[str]:
    """Whom the report was sent to, and whom the returned mail came from."""
    values = (*mail.headers.all("to"), original.return_path, original.sender)
    return frozenset(address.lower() for value in values for address in find_addresses(value))


def _meant(notice: Notice, ours: frozenset[str], original: Original) -> list[str]:
    """Whom the notice is about; where it names only us, whom our mail was for."""
    if all(key in ours for key in notice.spelled):
        others = [address for address in original.recipients if address.lower() not in ours]
        return others[:1] if notice.spelled and others else notice.recipients
    return notice.recipients


def _named_in_fields(mail: Mail) -> tuple[str, ...]:
    """The recipients that Exim, Google, Mail.ru and Microsoft's gateway name in the head of the report."""
    return next((tuple(found) for name in _RECIPIENT_FIELDS if (found := find_addresses(mail.headers.text(name)))), ())


def _words(record: StatusRecord, notice: Callable[[], Notice], subject: str) -> Iterator[str]:
    """The texts that may tell why, the surest first; the notice is only read when the diagnosis says too little."""
    if record.quoted_answer:
        yield record.quoted_answer
        return
    yield record.diagnostic
    yield from notice().candidates_for(record.recipient)
    yield record.remarks
    yield without_frame(subject)


def _last_resort(mail: Mail, text: str, original: Original) -> list[str]:
    """Where the notice names nobody in full: bare names, whom our mail was for, To:, the return path, the subject."""
    domain = _domain(next(iter(find_addresses(mail.headers.text("from"))), ""))
    names = find_local_names(text) if domain else []
    folded = [recipient_of_verp(address) for value in mail.headers.all("to") for address in find_addresses(value)]
    return (
        [complete(name, original.recipients, domain) for name in names]
        or list(original.recipients[:1])
        or [mention.address for mention in find_mentions(text) if mention.part is Part.HEADER][:1]
        or [address for address in folded if address]
        or find_addresses(mail.headers.text("subject"))[:1]
        or [""]
    )


def _once_each(findings: list[Finding]) -> tuple[Finding, ...]:
    """What is said first of a recipient counts."""
    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(finding.recipient.lower(), finding)
    return tuple(first.values())


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
