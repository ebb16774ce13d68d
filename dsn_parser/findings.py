"""A finding for each recipient: from the status fields where a report has them, else from the words of its notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

from dsn_parser.address import find_addresses, recipient_of_verp
from dsn_parser.dsn import StatusRecord, StatusReport, without_status
from dsn_parser.judge import judge
from dsn_parser.mail import Mail
from dsn_parser.prose.local_names import complete, find_local_names
from dsn_parser.prose.notice import Notice, read_notice
from dsn_parser.prose.signs import says_late
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
    action = record.action or "failed"
    if action == "delayed" and _DAYS_ARE_OVER.matches(notice().words_for(record.recipient)):
        action = "failed"
    words = _words(record, record.recipient, notice, subject)
    site = record.remote_mta or _domain(record.recipient)
    reply, verdict = judge(words, status=record.status, action=action, site=site)
    return Finding(
        recipient=record.recipient,
        verdict=verdict,
        reply=reply,
        action=action,
        original_recipient=record.original_recipient,
        reporting_mta=status.reporting_mta,
        remote_mta=record.remote_mta,
    )


def from_notice(mail: Mail, text: str, original: Original, record: StatusRecord = _NO_RECORD) -> tuple[Finding, ...]:
    """Read one finding for each address that the notice is about; `record` is what nameless status fields said."""
    notice = read_notice(text, _named_in_fields(mail), _our_addresses(mail, original))
    subject = mail.headers.text("subject")
    action = record.action or ("delayed" if says_late(subject, text) else "failed")
    findings = []
    for recipient in notice.recipients or _last_resort(mail, text, original):
        words = _words(record, recipient, lambda: notice, subject)
        reply, verdict = judge(words, status=record.status, action=action, site=_domain(recipient))
        findings.append(Finding(recipient, verdict, reply, action, notice.aliases.get(recipient.lower(), "")))
    return _once_each(findings)


def _our_addresses(mail: Mail, original: Original) -> frozenset[str]:
    """Whom the report was sent to, and whom the returned mail came from."""
    values = (*mail.headers.all("to"), original.return_path, original.sender)
    return frozenset(address.lower() for value in values for address in find_addresses(value))


def _named_in_fields(mail: Mail) -> tuple[str, ...]:
    """The recipients that Exim, Google, Mail.ru and Microsoft's gateway name in the head of the report."""
    return next((tuple(found) for name in _RECIPIENT_FIELDS if (found := find_addresses(mail.headers.text(name)))), ())


def _words(record: StatusRecord, recipient: str, notice: Callable[[], Notice], subject: str) -> Iterator[str]:
    """The texts that may tell why, the surest first; the notice is only read when the diagnosis says too little."""
    if record.quoted_answer:
        yield record.quoted_answer
        return
    yield record.diagnostic
    yield from notice().candidates_for(recipient)
    yield record.remarks
    yield subject


def _last_resort(mail: Mail, text: str, original: Original) -> list[str]:
    """Where the notice names nobody in full: bare names, whom our mail was for, the return path, the subject."""
    domain = _domain(next(iter(find_addresses(mail.headers.text("from"))), ""))
    names = find_local_names(text) if domain else []
    folded = [recipient_of_verp(address) for value in mail.headers.all("to") for address in find_addresses(value)]
    return (
        [complete(name, original.recipients, domain) for name in names]
        or list(original.recipients[:1])
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
