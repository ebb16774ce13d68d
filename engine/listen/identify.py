"""Whose mail it was, by the signed token alone, and what a returned mail may therefore change. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.vocabulary import Fault, ReportKind
from dsn_parser.report import Finding, Report
from engine.return_path import KeyRing, Purpose, message_of_address, verify
from engine.store.message_rows import Message
from engine.store.reports import ReportState

TOKEN_GOOD_FOR = timedelta(days=30)
"""Longer than any server tries (RFC 5321 4.5.4.1: 4 to 5 days) and any complaint takes; an opt-out is good for ever."""

_ENVELOPE, _ANSWERS = "envelope", "in_reply_to"


@dataclass(frozen=True, slots=True)
class Owner:
    """The message a returned mail is about, what its token was for, and where the token stood."""

    message_id: int
    purpose: Purpose
    found_in: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a returned mail comes to: its state, the message it is about, and the one finding that may change it."""

    state: ReportState
    message_id: int | None = None
    finding: Finding | None = None
    opts_out: bool = False


def find_owner(ring: KeyRing, bounce_domain: str, recipients: Sequence[str], report: Report) -> Owner | None:
    """Return the message that a mail to these envelope recipients is about, or None without a valid token.

    Reports that reach us without a return path of their own (feedback loops, forwarders) still carry our Message-ID or
    token header in the returned original, or our ENVID (RFC 3464 2.2.1); a person's letter names what it answers
    (RFC 5322 3.6.4).
    """
    for address in recipients:
        signed = message_of_address(ring, address, bounce_domain)
        if signed is not None:
            return Owner(signed[1], signed[0], _ENVELOPE)
    for found_in, candidate in _candidates(report):
        message_id = _message_of(ring, bounce_domain, candidate)
        if message_id is not None:
            return Owner(message_id, Purpose.BOUNCE, found_in)
    return None


def judge(report: Report, owner: Owner | None, message: Message | None, received_at: datetime) -> Judgement:
    """Return what a mail may change; `message` is the owner's, None where there is no such message (any more)."""
    if owner is None or message is None or report.kind is ReportKind.UNPARSEABLE:
        return Judgement(_state_alone(report))
    if owner.purpose is Purpose.UNSUBSCRIBE:
        return Judgement(ReportState.APPLIED, message.message_id, opts_out=True)
    if _is_letter(report, owner):
        return Judgement(ReportState.FORWARDING, message.message_id)
    if not _says_something(report):
        return Judgement(ReportState.APPLIED, message.message_id)
    finding = finding_about(report.findings, message)
    if finding and _is_vouched_for(finding, owner, message) and _is_believable(finding, message, received_at):
        return Judgement(ReportState.APPLIED, message.message_id, finding)
    return Judgement(ReportState.UNMATCHED)


def finding_about(findings: Sequence[Finding], message: Message) -> Finding | None:
    """Return the one finding that is about the address a message was sent to.

    A single finding is about our mail whatever address it names: forwarders put their own. Of several, only one that
    names the address counts; a report about others says nothing of it.
    """
    if len(findings) == 1:
        return findings[0]
    return next((finding for finding in findings if _names(finding, message)), None)


def _names(finding: Finding, message: Message) -> bool:
    named = {finding.recipient.lower(), finding.original_recipient.lower()}
    return not named.isdisjoint({message.email.lower(), message.address_key})


def _is_letter(report: Report, owner: Owner) -> bool:
    """True for what a person wrote, and for whatever else only answers a mail of ours.

    Servers report to the return path or return the mail. Who answers and quotes a report got it from somewhere else: it
    is about another mail, and they must not be struck by it.
    """
    if report.kind is ReportKind.PERSON:
        return True
    return owner.found_in == _ANSWERS and _says_something(report) and report.kind is not ReportKind.UNSUBSCRIBE


def _is_vouched_for(finding: Finding, owner: Owner, message: Message) -> bool:
    """True where the token says enough for what was found.

    A report to the return path may name any address, as forwarders do, and so may a complaint. One that only returns
    our mail was sent by whoever had it: it counts for our address, or for one that is hidden.
    """
    if owner.found_in == _ENVELOPE or finding.verdict.fault in (Fault.COMPLAINT, Fault.OPTOUT):
        return True
    return not finding.recipient or _names(finding, message)


def _state_alone(report: Report) -> ReportState:
    """The state of a mail that is about no message."""
    if report.kind is ReportKind.UNPARSEABLE:
        return ReportState.UNPARSEABLE
    return ReportState.UNMATCHED if _says_something(report) else ReportState.APPLIED


def _says_something(report: Report) -> bool:
    """True for a mail that would change a message, or that a person wrote."""
    verdicts = [finding.verdict.status.message_status for finding in report.findings]
    return report.kind is ReportKind.PERSON or any(status is not None for status in verdicts)


def _is_believable(finding: Finding, message: Message, received_at: datetime) -> bool:
    """A message that never left cannot have come back, and none does after so long a time; leaving is always free."""
    if finding.verdict.fault is Fault.OPTOUT:
        return True
    begun = message.first_attempt_at or message.created_at
    return message.attempts > 0 and received_at - begun <= TOKEN_GOOD_FOR


def _candidates(report: Report) -> Iterator[tuple[str, str]]:
    original = report.original
    yield "return_path", original.return_path
    yield "header", original.token
    yield "message_id", original.message_id
    yield "envelope_id", original.envelope_id
    yield from ((_ANSWERS, reference) for reference in report.in_reply_to)


def _message_of(ring: KeyRing, bounce_domain: str, candidate: str) -> int | None:
    """Read a token bare, as `token@domain` in angle brackets, or as a whole return path."""
    bare = candidate.strip().strip("<>")
    owner = message_of_address(ring, bare, bounce_domain)
    return owner[1] if owner else verify(ring, Purpose.BOUNCE, bare.partition("@")[0])
