"""What reading a mail gives: its kind, a finding for each recipient, and what came back of our own mail."""

from __future__ import annotations

from dataclasses import dataclass

from config.vocabulary import Reply, ReportKind, Verdict


@dataclass(frozen=True, slots=True)
class Original:
    """What a report returned of our mail; every field is empty where it returned nothing of the sort."""

    message_id: str = ""
    return_path: str = ""
    envelope_id: str = ""
    token: str = ""
    feedback_id: str = ""
    subject: str = ""
    recipients: tuple[str, ...] = ()
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a report says of one recipient; an empty recipient means that it hides or forgot the address."""

    recipient: str
    verdict: Verdict
    reply: Reply
    action: str = ""
    original_recipient: str = ""
    reporting_mta: str = ""
    remote_mta: str = ""


@dataclass(frozen=True, slots=True)
class DmarcRow:
    """One source in a DMARC aggregate report: who sent as our domain, how often, and how it was judged."""

    reporter: str
    domain: str
    source_ip: str
    count: int
    disposition: str
    dkim: str
    spf: str
    header_from: str
    begin_epoch_seconds: int = 0
    end_epoch_seconds: int = 0


@dataclass(frozen=True, slots=True)
class TlsRow:
    """One result in a TLS report: sessions to our domain under one policy; an empty result counts the successes."""

    reporter: str
    domain: str
    policy: str
    result: str
    sessions: int
    receiving_mx: str = ""
    sending_ip: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """One returned mail, read."""

    kind: ReportKind
    findings: tuple[Finding, ...] = ()
    original: Original = Original()
    in_reply_to: tuple[str, ...] = ()
    subject: str = ""
    sender: str = ""
    rows: tuple[DmarcRow | TlsRow, ...] = ()
