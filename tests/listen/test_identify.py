"""Whose mail it was, and what it may change: a table of what comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from config.vocabulary import Action, Fault, MessageStatus, Reason, Reply, ReportKind, Verdict, VerdictStatus
from dsn_parser.read_report import read_report
from dsn_parser.report import Finding, Original, Report
from engine.listen.identify import TOKEN_GOOD_FOR, Owner, find_owner, finding_about, judge
from engine.return_path import KeyRing, Purpose, return_path, sign
from engine.sandbox.reports import Occasion, delivery_report
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
SPAM = Verdict(VerdictStatus.SPAM, Reason.COMPLAINT, Fault.COMPLAINT, Action.SUPPRESS)
OURS = Owner(7, Purpose.BOUNCE, "envelope")
RETURNED = Owner(7, Purpose.BOUNCE, "message_id")
ANSWERED = Owner(7, Purpose.BOUNCE, "in_reply_to")
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
        (bounce(finding("ida@newplace.example")), OURS, IDA, ReportState.APPLIED),
        (bounce(finding("ove@example.org")), RETURNED, IDA, ReportState.UNMATCHED),
        (bounce(finding("ove@example.org", original_recipient="IDA@example.org")), RETURNED, IDA, ReportState.APPLIED),
        (bounce(finding("")), RETURNED, IDA, ReportState.APPLIED),
        (bounce(finding("ove@example.org", SPAM)), RETURNED, IDA, ReportState.APPLIED),
        (bounce(finding("ove@example.org")), ANSWERED, IDA, ReportState.FORWARDING),
        (bounce(), ANSWERED, IDA, ReportState.FORWARDING),
        (bounce(finding(verdict=AWAY)), ANSWERED, IDA, ReportState.APPLIED),
        (Report(ReportKind.UNSUBSCRIBE, (finding(verdict=OUT),)), ANSWERED, IDA, ReportState.APPLIED),
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
    says_something = any(one.verdict is not AWAY for one in report.findings)
    assert (judgement.finding is not None) == (state is ReportState.APPLIED and says_something)


HEAD = f"From: Ida <ida@example.org>\r\nSubject: Fwd: Undelivered\r\nIn-Reply-To: {MESSAGE_ID}\r\n".encode()
ABOUT_OVE = delivery_report(
    Occasion(b"From: ida@example.org\r\nSubject: Hej\r\n\r\nHej\r\n", "ove@example.org", "mx", NOW, "ida@example.org"),
    "failed",
    "5.1.1",
    "550 5.1.1 <ove@example.org>: User unknown",
)
ATTACHED = b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="q"\r\n\r\n--q\r\n\r\nSe bifogat.\r\n--q\r\n'


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"\r\nVad betyder detta?\r\n\r\n" + ABOUT_OVE.partition(b"\r\n\r\n")[2],
        HEAD + b"\r\n---------- Forwarded message ---------\r\n" + ABOUT_OVE,
        HEAD + b"\r\n> " + ABOUT_OVE.replace(b"\r\n", b"\r\n> ") + b"\r\n",
        HEAD + ATTACHED + b"Content-Type: message/rfc822\r\n\r\n" + ABOUT_OVE + b"\r\n--q--\r\n",
        f"Resent-From: ida@example.org\r\nReferences: {MESSAGE_ID}\r\n".encode() + ABOUT_OVE,
    ],
)
def test_a_member_who_shows_us_a_report_about_another_is_not_struck_by_it(raw: bytes) -> None:
    report = read_report(raw)
    owner = find_owner(RING, BOUNCE_DOMAIN, [SENDER], report)
    assert owner is not None
    judgement = judge(report, owner, IDA, NOW)
    assert (judgement.state, judgement.finding) == (ReportState.FORWARDING, None)


def test_leaving_is_free_however_old_the_mail() -> None:
    old = replace(IDA, first_attempt_at=NOW - timedelta(days=900))
    assert judge(bounce(finding(verdict=OUT)), OURS, old, NOW).finding
    assert judge(Report(ReportKind.PERSON), Owner(7, Purpose.UNSUBSCRIBE, "envelope"), old, NOW).opts_out
