"""Whose mail it was: the signed token in the return path, else in what came back of our mail; nothing else counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from config.vocabulary import ReportKind
from dsn_parser.report import Finding, Report
from engine.return_path import KeyRing, Purpose, message_of_address, verify


@dataclass(frozen=True, slots=True)
class Owner:
    """The message a returned mail is about, what its token was for, and where the token stood."""

    message_id: int
    purpose: Purpose
    found_in: str


def find_owner(ring: KeyRing, bounce_domain: str, recipients: Sequence[str], report: Report) -> Owner | None:
    """Return the message that a mail to these envelope recipients is about, or None without a valid token.

    Reports that reach us without a return path of their own (feedback loops, forwarders) still carry our Message-ID or
    token header in the returned original, or our ENVID (RFC 3464 2.2.1).
    """
    for address in recipients:
        owner = message_of_address(ring, address, bounce_domain)
        if owner is not None:
            return Owner(owner[1], owner[0], "return_path")
    for found_in, candidate in _candidates(report):
        message_id = _message_of(ring, bounce_domain, candidate)
        if message_id is not None:
            return Owner(message_id, Purpose.BOUNCE, found_in)
    return None


def find_thread(ring: KeyRing, bounce_domain: str, report: Report) -> int | None:
    """Return the message that a person's letter answers, by In-Reply-To and References (RFC 5322 3.6.4)."""
    found = (_message_of(ring, bounce_domain, reference) for reference in report.in_reply_to)
    return next((message_id for message_id in found if message_id is not None), None)


def finding_about(findings: Sequence[Finding], address: str) -> Finding | None:
    """Return the one finding that is about the address our mail was sent to.

    A single finding is about our mail whatever address it names: forwarders put their own. Of several, only one that
    names the address counts; a report about others says nothing of it.
    """
    if len(findings) == 1:
        return findings[0]
    wanted = address.lower()
    about = (f for f in findings if wanted in (f.recipient.lower(), f.original_recipient.lower()))
    return next(about, None)


def _candidates(report: Report) -> Iterator[tuple[str, str]]:
    original = report.original
    yield "return_path", original.return_path
    yield "header", original.token
    yield "message_id", original.message_id
    yield "envelope_id", original.envelope_id
    if report.kind is not ReportKind.PERSON:
        yield from (("in_reply_to", reference) for reference in report.in_reply_to)


def _message_of(ring: KeyRing, bounce_domain: str, candidate: str) -> int | None:
    """Read a token bare, as `token@domain` in angle brackets, or as a whole return path."""
    bare = candidate.strip().strip("<>")
    owner = message_of_address(ring, bare, bounce_domain)
    return owner[1] if owner else verify(ring, Purpose.BOUNCE, bare.partition("@")[0])
