"""Feedback reports: complaints and opt-outs (RFC 5965, 9477), authentication failures (RFC 6591), Microsoft's kind."""

from __future__ import annotations

from config.vocabulary import Action, Fault, Reason, Reply, Verdict, VerdictStatus
from dsn_parser.address import find_addresses, is_address, read_address, recipient_of_verp
from dsn_parser.classify import verdict_of
from dsn_parser.headers import Headers, read_headers
from dsn_parser.mail import Mail
from dsn_parser.report import Finding, Original
from dsn_parser.scan import Pattern

FEEDBACK_TYPE = "message/feedback-report"

COMPLAINTS = frozenset({"abuse", "fraud", "complaint", "spam", "phish", "phishing", "miscategorized", ""})
OPT_OUTS = frozenset({"opt-out", "opt-out-list", "optout", "unsubscribe"})
ABOUT_US = frozenset({"auth-failure", "authfailure", "dmarc", "dkim", "spf"})

_INLINE = Pattern(r"(?im)^feedback-type[ \t]*:[ \t]*\S")
_COMPLAINT_SUBJECT = Pattern(
    r"(?i)^\s*(?:complaint about message from|(?:email )?(?:feedback|abuse|spam) report for ip)\b"
)
_NOTHING = Verdict(VerdictStatus.NONE, Reason.UNDEFINED, Fault.NONE, Action.NONE, "feedback")


def is_feedback(mail: Mail, notice: str) -> bool:
    """Tell a feedback report by its type, by its fields, or by the way Microsoft writes complaints."""
    return (
        any(True for _ in mail.of_type(FEEDBACK_TYPE))
        or _INLINE.matches(notice)
        or (
            _COMPLAINT_SUBJECT.matches(mail.headers.text("subject"))
            and any(part.is_embedded_message for part in mail.parts)
        )
    )


def read_feedback(mail: Mail, notice: str, original: Original) -> tuple[Finding, ...]:
    """Return one finding for each reported recipient; one without recipient where the report hides it.

    The receiver may hide the address (Yahoo, Microsoft, hashes): then the original's token tells whose mail it was.
    """
    fields = _fields(mail, notice)
    verdict = verdict_on(fields.get("feedback-type"), fields.get("auth-failure"))
    recipients = _recipients(fields) or _recipients_of(original)
    reply = Reply(0, None, fields.get("feedback-type"))
    mta = fields.get("reporting-mta").rpartition(";")[2].strip()
    return tuple(Finding(recipient, verdict, reply, reporting_mta=mta) for recipient in recipients or ("",))


def verdict_on(feedback_type: str, auth_failure: str = "") -> Verdict:
    """What a Feedback-Type means (RFC 5965 7.3): one that nobody knows changes nothing."""
    kind = feedback_type.strip().lower()
    if auth_failure or kind in ABOUT_US:
        return verdict_of(Reason.OURS, "feedback auth-failure")
    if kind in COMPLAINTS:
        return verdict_of(Reason.COMPLAINT, f"feedback {kind or 'complaint'}")
    return verdict_of(Reason.OPT_OUT, f"feedback {kind}") if kind in OPT_OUTS else _NOTHING


def envelope_id(mail: Mail, notice: str) -> str:
    """The Original-Envelope-Id of a feedback report, "" without one."""
    return _fields(mail, notice).get("original-envelope-id")


def _fields(mail: Mail, notice: str) -> Headers:
    for part in mail.of_type(FEEDBACK_TYPE):
        return read_headers(part.content.lstrip(b"\n"), lenient=True)
    start = _INLINE_START.position(notice) if _INLINE.matches(notice) else -1
    return read_headers(notice[start:].encode("utf-8", "replace"), lenient=True) if start >= 0 else Headers()


_INLINE_START = Pattern(r"(?im)^(?:feedback-type|user-agent|version|abuse-type)[ \t]*:")


def _recipients(fields: Headers) -> list[str]:
    names = ("original-rcpt-to", "original-recipient", "removal-recipient")
    stated = [read_address(value) for name in names for value in fields.all(name)]
    folded = [recipient_of_verp(next(iter(find_addresses(fields.get("original-mail-from"))), ""))]
    return list(dict.fromkeys(address for address in stated if is_address(address))) or [a for a in folded if a]


def _recipients_of(original: Original) -> list[str]:
    """Only a mail to one person tells who complained."""
    folded = recipient_of_verp(original.return_path)
    return [folded] if folded else list(original.recipients[:1])
