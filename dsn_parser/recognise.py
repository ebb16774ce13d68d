"""What sort of mail came back: told from its types, its fields and the words of its opening."""

from __future__ import annotations

from config.vocabulary import ReportKind
from dsn_parser.arf import is_feedback
from dsn_parser.autoreply import is_auto_reply, is_challenge, is_unsubscribe
from dsn_parser.dmarc import is_dmarc_report
from dsn_parser.dsn import has_status
from dsn_parser.mail import Mail
from dsn_parser.prose.signs import is_bounce, says_failure
from dsn_parser.tlsrpt import is_tls_report

_RECEIPT_TYPE = "message/disposition-notification"


def recognise(mail: Mail, notice: str) -> ReportKind:
    """Tell the kind of a mail; what machines declare goes before what words suggest, a person comes last."""
    if is_tls_report(mail):
        return ReportKind.TLS_REPORT
    if is_dmarc_report(mail):
        return ReportKind.DMARC_REPORT
    if is_feedback(mail, notice):
        return ReportKind.FEEDBACK_REPORT
    if any(True for _ in mail.of_type(_RECEIPT_TYPE)):
        return ReportKind.PLAIN_BOUNCE if says_failure(notice) else ReportKind.READ_RECEIPT
    if has_status(mail, notice):
        return ReportKind.DELIVERY_REPORT
    if is_unsubscribe(mail, notice):
        return ReportKind.UNSUBSCRIBE
    return _by_words(mail, notice)


def _by_words(mail: Mail, notice: str) -> ReportKind:
    if is_bounce(mail, notice):
        return ReportKind.PLAIN_BOUNCE
    if is_challenge(mail, notice):
        return ReportKind.CHALLENGE
    return ReportKind.AUTO_REPLY if is_auto_reply(mail, notice) else ReportKind.PERSON
