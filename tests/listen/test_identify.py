"""Whose mail it was, and what it may change: a table of what comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from config.vocabulary import Action, Fault, MessageStatus, Reason, Reply, ReportKind, Verdict, VerdictStatus
from dsn_parser.report import Finding, Original, Report
from engine.listen.identify import TOKEN_GOOD_FOR, Owner, find_owner, finding_about, judge
from engine.return_path import KeyRing, Purpose, return_path, sign
from engine.store.message_rows import Message
from engine.store.reports import ReportState
from tests.listen.callers import BOUNCE_DOMAIN, RING, SENDER

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TOKEN = sign(RING, Purpose.BOUNCE, 7)
MESSAGE_ID = f"<{TOKEN}@{BOUNCE_DOMAIN}>"
FORGED = sign(KeyRing((b"the key of a forger, not ours...",)), Purpose.BOUNCE, 7)
GONE = Verdict(VerdictStatus.INVALID, Reason.USER_UNKNOWN, Fault.RECIPIENT_ADDRESS, Action.SUPPRESS)
AWAY = Verdict(VerdictStatus.NONE, Reason.AUTO_REPLY, Fault.NONE, Action.NONE)
OUT = Verdict(VerdictStatus.UNSUBSCRIBED, Reason.OPT_OUT, Fault.OPTOUT, Action.SUPPRESS)
OURS = Owner(7, Purpose.BOUNCE, "envelope")
IDA = Message(
    7, 1, 1, 1, "Ida@Example.org", "ida@example.org", "example.org", MessageStatus.SENT, 1, NOW, NOW, None, None
)


def finding(recipient: str = "ida@example.org", verdict: Verdict = GONE, original_recipient: str = "") -> Finding:
    return Finding(recipient, verdict, Reply(550), original_recipient=original_recipient)


def bounce(*findings: Finding) -> Report:
    return Report(ReportKind.DELIVERY_REPORT, findings or (finding(),))


@pytest.mark.parametrize(
    ("recipient", "original", "found_in"),
    [
        (return_path(RING, 7, BOUNCE_DOMAIN), Original(), "envelope"),
        (return_path(RING, 7, BOUNCE_DOMAIN).upper(), Original(), "envelope"),
        ("postmaster@here", Original(return_path=return_path(RING, 7, BOUNCE_DOMAIN)), "return_path"),
        ("postmaster@here", Original(token=TOKEN), "header"),
        ("postmaster@here", Original(token=FORGED, message_id=MESSAGE_ID), "message_id"),
        ("postmaster@here", Original(envelope_id=TOKEN), "envelope_id"),
    ],
)
def test_the_token_is_found_wherever_it_stands(recipient: str, original: Original, found_in: str) -> None:
    found = find_owner(RING, BOUNCE_DOMAIN, [recipient], replace(bounce(), original=original))
    assert found == Owner(7, Purpose.BOUNCE, found_in)


def test_a_letter_names_what_it_answers() -> None:
    letter = Report(ReportKind.PERSON, in_reply_to=("<someone@else>", MESSAGE_ID))
    assert find_owner(RING, BOUNCE_DOMAIN, [SENDER], letter) == Owner(7, Purpose.BOUNCE, "in_reply_to")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "g.aaaaaaaaaaaaaaaa",
        FORGED,
        f"i.{TOKEN.partition('.')[2]}",
        sign(RING, Purpose.UNSUBSCRIBE, 7),
        sign(RING, Purpose.CONFIRM, 7),
    ],
    ids=["none", "made up", "other key", "other message", "unsubscribe", "confirm"],
)
def test_a_token_of_another_key_message_or_purpose_is_none(token: str) -> None:
    original = Original(f"<{token}@{BOUNCE_DOMAIN}>", f"b+{token}@{BOUNCE_DOMAIN}", token, token)
    report = replace(bounce(), original=original)
    assert find_owner(RING, BOUNCE_DOMAIN, [f"b+{token}@{BOUNCE_DOMAIN}"], report) is None


@pytest.mark.parametrize(
    ("findings", "about"),
    [
        ([finding("elsewhere@forwarded.example")], 0),
        ([finding("other@example.org"), finding("IDA@example.org")], 1),
        ([finding("other@example.org"), finding("ida@forwarded.example", original_recipient="ida@EXAMPLE.org")], 1),
        ([finding("other@example.org"), finding("third@example.org")], None),
        ([], None),
    ],
)
def test_only_what_is_about_our_address_counts(findings: list[Finding], about: int | None) -> None:
    assert finding_about(findings, IDA) == (None if about is None else findings[about])


@pytest.mark.parametrize(
    ("report", "owner", "message", "state"),
    [
        (bounce(), OURS, IDA, ReportState.APPLIED),
        (bounce(), None, None, ReportState.UNMATCHED),
        (bounce(), OURS, None, ReportState.UNMATCHED),
        (bounce(), OURS, replace(IDA, attempts=0), ReportState.UNMATCHED),
        (bounce(), OURS, replace(IDA, first_attempt_at=NOW - TOKEN_GOOD_FOR), ReportState.APPLIED),
        (bounce(), OURS, replace(IDA, first_attempt_at=NOW - timedelta(days=31)), ReportState.UNMATCHED),
        (bounce(finding("a@b.example"), finding("c@d.example")), OURS, IDA, ReportState.UNMATCHED),
        (bounce(finding(verdict=AWAY)), OURS, IDA, ReportState.APPLIED),
        (Report(ReportKind.AUTO_REPLY), None, None, ReportState.APPLIED),
        (Report(ReportKind.DMARC_REPORT), None, None, ReportState.APPLIED),
        (Report(ReportKind.PERSON), OURS, IDA, ReportState.FORWARDING),
        (Report(ReportKind.PERSON), None, None, ReportState.UNMATCHED),
        (Report(ReportKind.UNPARSEABLE), OURS, IDA, ReportState.UNPARSEABLE),
    ],
)
def test_only_a_fresh_valid_token_of_a_mail_that_left_changes_anything(
    report: Report, owner: Owner | None, message: Message | None, state: ReportState
) -> None:
    judgement = judge(report, owner, message, NOW)
    assert judgement.state is state
    assert (judgement.finding is not None) == (state is ReportState.APPLIED and report == bounce())


def test_leaving_is_free_however_old_the_mail() -> None:
    old = replace(IDA, first_attempt_at=NOW - timedelta(days=900))
    assert judge(bounce(finding(verdict=OUT)), OURS, old, NOW).finding
    assert judge(Report(ReportKind.PERSON), Owner(7, Purpose.UNSUBSCRIBE, "envelope"), old, NOW).opts_out
