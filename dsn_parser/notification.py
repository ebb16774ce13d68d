"""Notifications that providers mail as JSON: Amazon SES through SNS (Bounce, Complaint, Delivery)."""

from __future__ import annotations

from collections.abc import Mapping

from config.vocabulary import Reason, Reply, ReportKind
from dsn_parser.classify import classify, verdict_of
from dsn_parser.json_values import as_list, as_object, as_objects, as_text, read_object
from dsn_parser.reply import parse_reply, with_status
from dsn_parser.report import Finding, Original

_KINDS = frozenset({"bounce", "complaint", "delivery", "deliverydelay", "reject"})


def read_notification(text: str) -> tuple[ReportKind, tuple[Finding, ...], Original] | None:
    """Read the JSON object that a text begins with; None where it is no notification."""
    event = _event(text)
    kind = as_text(event.get("notificationType") or event.get("eventType")).replace(" ", "").lower()
    if kind not in _KINDS:
        return None
    mail = as_object(event.get("mail"))
    common = as_object(mail.get("commonHeaders"))
    original = Original(
        message_id=as_text(common.get("messageId")),
        return_path=as_text(mail.get("source")),
        token=_header(mail, "x-brevduva-token"),
        feedback_id=_header(mail, "feedback-id"),
        subject=as_text(common.get("subject")),
        recipients=tuple(as_text(address) for address in as_list(mail.get("destination"))),
    )
    report_kind = ReportKind.FEEDBACK_REPORT if kind == "complaint" else ReportKind.DELIVERY_REPORT
    return report_kind, _FINDINGS[kind](event), original


def _event(text: str) -> Mapping[str, object]:
    """The object at the beginning of the text; SNS may wrap it as text once more, and adds a footer below."""
    start = text.lstrip()
    if not start.startswith("{"):
        return {}
    body = start.partition("\n--")[0]
    for candidate in (body, body[: body.rfind("}") + 1], body.replace("\n ", "").replace("\n", "")):
        try:
            event = read_object(candidate)
        except ValueError:
            continue
        message = event.get("Message")
        return _event(message) if isinstance(message, str) and not event.get("notificationType") else event
    return {}


def _bounced(event: Mapping[str, object]) -> tuple[Finding, ...]:
    bounce = as_object(event.get("bounce"))
    mta = as_text(bounce.get("reportingMTA")).rpartition(";")[2].strip()
    return tuple(
        _bounced_recipient(recipient, bounce, mta) for recipient in as_objects(bounce.get("bouncedRecipients"))
    )


def _bounced_recipient(recipient: Mapping[str, object], bounce: Mapping[str, object], mta: str) -> Finding:
    words = (
        as_text(recipient.get("diagnosticCode"))
        or f"{as_text(bounce.get('bounceType'))} {as_text(bounce.get('bounceSubType'))}"
    )
    reply = with_status(parse_reply(words), as_text(recipient.get("status")))
    action = as_text(recipient.get("action")) or "failed"
    return Finding(
        as_text(recipient.get("emailAddress")), classify(reply, action=action), reply, action, reporting_mta=mta
    )


def _complained(event: Mapping[str, object]) -> tuple[Finding, ...]:
    complaint = as_object(event.get("complaint"))
    kind = as_text(complaint.get("complaintFeedbackType")) or "complaint"
    verdict = verdict_of(Reason.COMPLAINT, "feedback complaint")
    people = as_objects(complaint.get("complainedRecipients"))
    return tuple(Finding(as_text(person.get("emailAddress")), verdict, Reply(0, None, kind)) for person in people)


def _delivered(event: Mapping[str, object]) -> tuple[Finding, ...]:
    delivery = as_object(event.get("delivery"))
    reply = parse_reply(as_text(delivery.get("smtpResponse")))
    verdict = classify(reply, action="delivered")
    return tuple(
        Finding(as_text(address), verdict, reply, "delivered") for address in as_list(delivery.get("recipients"))
    )


def _delayed(event: Mapping[str, object]) -> tuple[Finding, ...]:
    people = as_objects(as_object(event.get("deliveryDelay")).get("delayedRecipients"))
    found = (
        (person, with_status(parse_reply(as_text(person.get("diagnosticCode"))), as_text(person.get("status"))))
        for person in people
    )
    return tuple(
        Finding(as_text(p.get("emailAddress")), classify(reply, action="delayed"), reply, "delayed")
        for p, reply in found
    )


def _rejected(event: Mapping[str, object]) -> tuple[Finding, ...]:
    """SES refused the mail itself, for a virus: that is the content's fault."""
    reply = Reply(0, None, as_text(as_object(event.get("reject")).get("reason")))
    people = as_list(as_object(event.get("mail")).get("destination"))
    return tuple(
        Finding(as_text(address), verdict_of(Reason.VIRUS, "ses reject"), reply, "failed") for address in people
    )


_FINDINGS = {
    "bounce": _bounced,
    "complaint": _complained,
    "delivery": _delivered,
    "deliverydelay": _delayed,
    "reject": _rejected,
}


def _header(mail: Mapping[str, object], name: str) -> str:
    fields = as_objects(mail.get("headers"))
    return next((as_text(field.get("value")) for field in fields if as_text(field.get("name")).lower() == name), "")
