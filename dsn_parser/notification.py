"""Notifications that providers mail as JSON: Amazon SES through SNS (Bounce, Complaint, Delivery)."""

from __future__ import annotations

from typing import Any

import orjson

from config.vocabulary import Reason, Reply, ReportKind
from dsn_parser.classify import classify, verdict_of
from dsn_parser.reply import parse_reply, with_status
from dsn_parser.report import Finding, Original

_KINDS = frozenset({"bounce", "complaint", "delivery", "deliverydelay", "reject"})


def read_notification(text: str) -> tuple[ReportKind, tuple[Finding, ...], Original] | None:
    """Read the JSON object that a text begins with; None where it is no notification."""
    event = _event(text)
    kind = _text(event.get("notificationType") or event.get("eventType")).replace(" ", "").lower()
    if kind not in _KINDS:
        return None
    mail = _mapping(event.get("mail"))
    common = _mapping(mail.get("commonHeaders"))
    original = Original(
        message_id=_text(common.get("messageId")),
        return_path=_text(mail.get("source")),
        token=_header(mail, "x-brevduva-token"),
        feedback_id=_header(mail, "feedback-id"),
        subject=_text(common.get("subject")),
        recipients=tuple(_text(address) for address in _list(mail.get("destination"))),
    )
    report_kind = ReportKind.FEEDBACK_REPORT if kind == "complaint" else ReportKind.DELIVERY_REPORT
    return report_kind, _FINDINGS[kind](event), original


def _event(text: str) -> dict[str, Any]:
    """The object at the beginning of the text; SNS may wrap it as text once more, and adds a footer below."""
    start = text.lstrip()
    if not start.startswith("{"):
        return {}
    body = start.partition("\n--")[0]
    for candidate in (body, body[: body.rfind("}") + 1], body.replace("\n ", "").replace("\n", "")):
        try:
            event = _mapping(orjson.loads(candidate))
        except orjson.JSONDecodeError:
            continue
        message = event.get("Message")
        return _event(message) if isinstance(message, str) and not event.get("notificationType") else event
    return {}


def _bounced(event: dict[str, Any]) -> tuple[Finding, ...]:
    bounce = _mapping(event.get("bounce"))
    mta = _text(bounce.get("reportingMTA")).rpartition(";")[2].strip()
    return tuple(_bounced_recipient(recipient, bounce, mta) for recipient in _mappings(bounce.get("bouncedRecipients")))


def _bounced_recipient(recipient: dict[str, Any], bounce: dict[str, Any], mta: str) -> Finding:
    words = (
        _text(recipient.get("diagnosticCode"))
        or f"{_text(bounce.get('bounceType'))} {_text(bounce.get('bounceSubType'))}"
    )
    reply = with_status(parse_reply(words), _text(recipient.get("status")))
    action = _text(recipient.get("action")) or "failed"
    return Finding(
        _text(recipient.get("emailAddress")), classify(reply, action=action), reply, action, reporting_mta=mta
    )


def _complained(event: dict[str, Any]) -> tuple[Finding, ...]:
    complaint = _mapping(event.get("complaint"))
    kind = _text(complaint.get("complaintFeedbackType")) or "complaint"
    verdict = verdict_of(Reason.COMPLAINT, f"feedback {kind}")
    people = _mappings(complaint.get("complainedRecipients"))
    return tuple(Finding(_text(person.get("emailAddress")), verdict, Reply(0, None, kind)) for person in people)


def _delivered(event: dict[str, Any]) -> tuple[Finding, ...]:
    delivery = _mapping(event.get("delivery"))
    reply = parse_reply(_text(delivery.get("smtpResponse")))
    verdict = classify(reply, action="delivered")
    return tuple(Finding(_text(address), verdict, reply, "delivered") for address in _list(delivery.get("recipients")))


def _delayed(event: dict[str, Any]) -> tuple[Finding, ...]:
    people = _mappings(_mapping(event.get("deliveryDelay")).get("delayedRecipients"))
    found = (
        (person, with_status(parse_reply(_text(person.get("diagnosticCode"))), _text(person.get("status"))))
        for person in people
    )
    return tuple(
        Finding(_text(p.get("emailAddress")), classify(reply, action="delayed"), reply, "delayed") for p, reply in found
    )


def _rejected(event: dict[str, Any]) -> tuple[Finding, ...]:
    """SES refused the mail itself, for a virus: that is the content's fault."""
    reply = Reply(0, None, _text(_mapping(event.get("reject")).get("reason")))
    people = _list(_mapping(event.get("mail")).get("destination"))
    return tuple(Finding(_text(address), verdict_of(Reason.VIRUS, "ses reject"), reply, "failed") for address in people)


_FINDINGS = {
    "bounce": _bounced,
    "complaint": _complained,
    "delivery": _delivered,
    "deliverydelay": _delayed,
    "reject": _rejected,
}


def _header(mail: dict[str, Any], name: str) -> str:
    fields = _mappings(mail.get("headers"))
    return next((_text(field.get("value")) for field in fields if _text(field.get("name")).lower() == name), "")


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value[:1000] if isinstance(value, list) else []


def _mappings(value: object) -> list[dict[str, Any]]:
    return [_mapping(item) for item in _list(value)]


def _text(value: object) -> str:
    return value[:8192] if isinstance(value, str) else ""
