"""What sort of mail came back: told from its types, its fields and the words of its opening."""

from __future__ import annotations

from collections.abc import Callable

from config.vocabulary import ReportKind
from dsn_parser.arf import is_feedback
from dsn_parser.autoreply import is_auto_reply, is_challenge, is_unsubscribe
from dsn_parser.dmarc import is_dmarc_report
from dsn_parser.dsn import has_status
from dsn_parser.mail import Mail
from dsn_parser.prose.signs import is_bounce, says_failure
from dsn_parser.tlsrpt import is_tls_report

_RECEIPT_TYPE = "message/disposition-notification"


def recognise(mail: Mail, notice: str, quoted: str) -> ReportKind:
    """Tell the kind of a mail; what machines declare goes before what words suggest, a person comes last."""
    return next((kind for kind, is_kind in _KINDS if is_kind(mail, notice, quoted)), ReportKind.PERSON)


def _is_receipt(mail: Mail, notice: str, _quoted: str) -> bool:
    """A disposition notice that tells of a refusal is Dovecot's or Sieve's way to bounce (RFC 5429 2.1.2)."""
    return any(True for _ in mail.of_type(_RECEIPT_TYPE)) and not says_failure(notice)


_KINDS: tuple[tuple[ReportKind, Callable[[Mail, str, str], bool]], ...] = (
    (ReportKind.TLS_REPORT, lambda mail, *_: is_tls_report(mail)),
    (ReportKind.DMARC_REPORT, lambda mail, *_: is_dmarc_report(mail)),
    (ReportKind.FEEDBACK_REPORT, lambda mail, notice, _: is_feedback(mail, notice)),
    (ReportKind.READ_RECEIPT, _is_receipt),
    (ReportKind.DELIVERY_REPORT, lambda mail, notice, _: has_status(mail, notice)),
    (ReportKind.UNSUBSCRIBE, lambda mail, notice, _: is_unsubscribe(mail, notice)),
    (ReportKind.PLAIN_BOUNCE, is_bounce),
    (ReportKind.CHALLENGE, lambda mail, notice, _: is_challenge(mail, notice)),
    (ReportKind.AUTO_REPLY, lambda mail, notice, _: is_auto_reply(mail, notice)),
)
