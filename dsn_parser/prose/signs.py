"""The signs by which people know a bounce: who it comes from, what it is called, and what it says first."""

from __future__ import annotations

from dsn_parser.autoreply import is_auto_reply, is_challenge
from dsn_parser.mail import Mail
from dsn_parser.prose.notice import names_anybody
from dsn_parser.scan import Pattern
from dsn_parser.words import words

OPENING_CHARACTERS = 6000

_DAEMON = words("daemon")
_TITLE = words("title")
_FAILURE = words("failure")
_LATE = words("late")
_GAVE_UP = words("gave_up")
_REPLY = Pattern(r"(?i)^\s*(?:re|sv|vs|aw|antw|r.f|odp|ynt)\s*:")


def is_bounce(mail: Mail, notice: str, quoted: str) -> bool:
    """Tell a bounce: a daemon's mail by that name, or words of failure in a mail that has another sign of one.

    An absent member also says that mail "cannot be received": what looks automatic and comes from no daemon is none.
    A daemon that names somebody bounces in whatever language.
    """
    headers = mail.headers
    if headers.get("x-failed-recipients"):
        return True
    subject = headers.text("subject")
    by_daemon = not headers.get("from").strip() or _DAEMON.matches(headers.text("from"))
    titled = _TITLE.matches(subject) and not _REPLY.matches(subject)
    if by_daemon and (titled or says_late(subject, notice)):
        return True
    if not says_failure(notice):
        return _is_daemon(mail) and names_anybody(notice)
    if by_daemon:
        return True
    signed = titled or _has_null_path(mail) or _returns_mail(mail, notice, quoted)
    return signed and not is_auto_reply(mail, notice) and not is_challenge(mail, notice)


def _is_daemon(mail: Mail) -> bool:
    """Tell the sender that all mailers use, whatever their language."""
    return "mailer-daemon" in mail.headers.get("from").lower() and not is_auto_reply(mail, "")


def _has_null_path(mail: Mail) -> bool:
    paths = mail.headers.all("return-path")
    return bool(paths) and paths[0].strip("<> ").lower().partition("@")[0] in {"", "mailer-daemon"}


def _returns_mail(mail: Mail, notice: str, quoted: str) -> bool:
    """People quote mail too, but do not put an address at the head of a line above it."""
    return any(part.is_embedded_message for part in mail.parts) or (bool(quoted) and names_anybody(notice))


def says_failure(notice: str) -> bool:
    """Tell whether the opening of a notice speaks of mail that did not arrive."""
    return _FAILURE.matches(notice[:OPENING_CHARACTERS])


def says_late(subject: str, notice: str) -> bool:
    """Tell a notice of delay from one of failure: it speaks of trying on, and not of having given up."""
    text = f"{subject}\n{notice[:OPENING_CHARACTERS]}"
    return _LATE.matches(text) and not _GAVE_UP.matches(text)
