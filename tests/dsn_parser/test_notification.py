"""Notifications as JSON are read, whatever stands in the place of what."""

from __future__ import annotations

import orjson
import pytest

from config.vocabulary import ReportKind, VerdictStatus
from dsn_parser.notification import read_notification


def read(event: object) -> list[tuple[str, VerdictStatus]]:
    found = read_notification(orjson.dumps(event).decode())
    return [(finding.recipient, finding.verdict.status) for finding in found[1]] if found else []


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ({"notificationType": "Delivery", "delivery": {"recipients": ["ida@example.org"]}}, VerdictStatus.DELIVERED),
        (
            {"eventType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": "ida@example.org"}]}},
            VerdictStatus.SPAM,
        ),
        (
            {
                "eventType": "DeliveryDelay",
                "deliveryDelay": {"delayedRecipients": [{"emailAddress": "ida@example.org"}]},
            },
            VerdictStatus.DEFERRED,
        ),
        ({"eventType": "Reject", "mail": {"destination": ["ida@example.org"]}}, VerdictStatus.SOFT_BOUNCED),
        (
            {
                "notificationType": "Bounce",
                "bounce": {
                    "bouncedRecipients": [
                        {"emailAddress": "ida@example.org", "diagnosticCode": "550 5.1.1 user unknown"}
                    ]
                },
            },
            VerdictStatus.INVALID,
        ),
    ],
)
def test_an_event_means(event: object, status: VerdictStatus) -> None:
    assert read(event) == [("ida@example.org", status)]


@pytest.mark.parametrize(
    "event",
    [
        [],
        {},
        {"notificationType": 7},
        {"notificationType": "Bounce", "bounce": "no"},
        {"notificationType": "Bounce", "bounce": {"bouncedRecipients": {"a": 1}}},
        {"notificationType": "Delivery", "delivery": {"recipients": 3}},
        {"Message": "not json"},
        {"Message": {"notificationType": "Bounce"}},
    ],
)
def test_another_shape_finds_nobody(event: object) -> None:
    assert read(event) == []


def test_a_complaint_is_a_feedback_report() -> None:
    found = read_notification(
        '{"notificationType":"Complaint","mail":{"headers":[{"name":"X-Brevduva-Token","value":"1.2"}]}}'
    )
    assert found
    assert (found[0], found[2].token) == (ReportKind.FEEDBACK_REPORT, "1.2")
