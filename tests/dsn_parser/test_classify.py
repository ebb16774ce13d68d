"""What answers mean: nobody is struck for our faults, and nobody who is gone is mailed again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.vocabulary import Action, Fault, Reason, Reply, VerdictStatus
from dsn_parser.classify import MEANINGS, REASON_OF_CODE, classify, meaning_of, verdict_of
from dsn_parser.judge import judge
from dsn_parser.reply import parse_reply, with_status
from dsn_parser.rules import rule_book
from dsn_parser.status_codes import status_registry

REPLIES = Path(__file__).parent / "replies"


def _lines(name: str) -> list[str]:
    lines = (REPLIES / name).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


ABOUT_US = _lines("about_us.txt")
ABOUT_MEMBERS = [line.split("|", 1) for line in _lines("about_members.txt")]


def test_the_table_of_our_faults_is_long_enough() -> None:
    assert len(ABOUT_US) >= 120


@pytest.mark.parametrize("text", ABOUT_US)
@pytest.mark.parametrize("action", ["", "failed", "delayed"])
def test_a_refusal_about_us_never_touches_an_address(text: str, action: str) -> None:
    verdict = classify(parse_reply(text), action=action)
    assert verdict.action is Action.NONE, verdict
    assert verdict.status in {VerdictStatus.SOFT_BOUNCED, VerdictStatus.DEFERRED}


@pytest.mark.parametrize(("status", "text"), ABOUT_MEMBERS)
def test_what_is_said_of_a_member_becomes_the_right_status(status: str, text: str) -> None:
    action = "" if status == VerdictStatus.DEFERRED else "failed"
    assert classify(parse_reply(text), action=action).status == status


@pytest.mark.parametrize("text", [text for status, text in ABOUT_MEMBERS if status in {"invalid", "bounced"}])
def test_who_is_gone_is_not_mailed_again(text: str) -> None:
    assert classify(parse_reply(text), action="failed").action is Action.SUPPRESS


def test_every_reason_that_an_answer_can_have_has_a_meaning() -> None:
    by_rules = {rule.reason for rule in rule_book().rules}
    by_statuses = {entry.reason for entry in status_registry().values() if entry.reason}
    assert by_rules | by_statuses | set(REASON_OF_CODE.values()) <= set(MEANINGS)


def test_our_faults_and_the_contents_leave_the_address_alone() -> None:
    ours = [meaning for meaning in MEANINGS.values() if meaning.fault in {Fault.SENDER, Fault.CONTENT, Fault.DELAY}]
    assert ours
    assert all(meaning.action is Action.NONE for meaning in ours)


def test_a_temporary_answer_met_live_never_suppresses() -> None:
    for rule in rule_book().rules:
        live = Reply(450, None, parse_reply(rule.example).text)
        assert classify(live).action is not Action.SUPPRESS, rule


def test_an_unknown_user_in_a_temporary_code_is_tried_again_live_and_believed_in_a_report() -> None:
    reply = parse_reply(
        "450 4.1.1 <ida@example.com>: Recipient address rejected: User unknown in local recipient table"
    )
    assert classify(reply).status is VerdictStatus.SOFT_BOUNCED
    assert classify(reply, action="failed").status is VerdictStatus.INVALID


@pytest.mark.parametrize("stage", ["connect", "banner", "helo", "starttls", "mail"])
@pytest.mark.parametrize(
    "text", ["550 5.1.1 User unknown", "550 5.1.2 Host unknown", "550 5.2.1 Account disabled", "550"]
)
def test_before_rcpt_no_member_can_be_at_fault(text: str, stage: str) -> None:
    verdict = classify(parse_reply(text), stage=stage)
    assert (verdict.fault, verdict.action) == (Fault.SENDER, Action.NONE)


def test_a_full_mailbox_in_a_permanent_code_is_soft() -> None:
    verdict = classify(parse_reply("552 5.2.2 Mailbox full"))
    assert (verdict.status, verdict.action) == (VerdictStatus.SOFT_BOUNCED, Action.COUNT)


def test_a_delay_notice_is_only_late_whatever_it_says() -> None:
    verdict = classify(parse_reply("450 4.2.2 Mailbox full"), action="delayed")
    assert (verdict.status, verdict.fault, verdict.action) == (VerdictStatus.DEFERRED, Fault.DELAY, Action.NONE)
    assert verdict.reason is Reason.MAILBOX_FULL
    assert classify(Reply(0), action="delayed").reason is Reason.DELAYED


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_success_notice_counts_as_delivered(action: str) -> None:
    assert classify(parse_reply("550 user unknown"), action=action).status is VerdictStatus.DELIVERED


def test_a_positive_answer_is_accepted() -> None:
    assert classify(parse_reply("250 2.0.0 OK")).reason is Reason.ACCEPTED


def test_a_report_that_somebody_gave_up_is_not_only_late() -> None:
    verdict = classify(parse_reply("451 4.7.1 Greylisted"), action="failed")
    assert (verdict.status, verdict.action) == (VerdictStatus.SOFT_BOUNCED, Action.NONE)


def test_sure_words_outweigh_the_status_that_outweighs_vague_words() -> None:
    assert classify(parse_reply("550 5.7.1 User unknown")).rule.startswith("user_unknown.toml")
    assert classify(parse_reply("550 5.1.1 Access denied")).rule == "enhanced 5.1.1"
    assert classify(parse_reply("550 Access denied")).reason is Reason.BLOCKED
    assert classify(parse_reply("552 hum")).rule == "code 552"


def test_words_nobody_knows_are_counted_when_for_good_and_waited_for_when_not() -> None:
    assert classify(parse_reply("550 hum")) == verdict_of(Reason.UNDEFINED)
    assert classify(parse_reply("499 hum")).status is VerdictStatus.DEFERRED


def test_a_final_report_without_a_reason_is_a_bounce() -> None:
    verdict = classify(parse_reply("Delivery to the following recipient failed permanently:"), action="failed")
    assert verdict.reason is Reason.FAILED
    assert classify(with_status(Reply(0), "5.0.0"), action="failed").reason is Reason.FAILED
    assert classify(with_status(Reply(0), "4.0.0"), action="failed").reason is Reason.UNDEFINED
    assert classify(with_status(Reply(0), "5.1.1"), action="failed").reason is Reason.USER_UNKNOWN


def test_that_it_failed_is_no_reason_while_we_send() -> None:
    assert classify(parse_reply("554 Message could not be delivered")).action is Action.COUNT


@pytest.mark.parametrize("code", REASON_OF_CODE)
def test_a_bare_code_never_suppresses_unless_it_is_about_the_domain(code: int) -> None:
    meaning = meaning_of(REASON_OF_CODE[code])
    assert meaning.action is not Action.SUPPRESS or code in {521, 556}


@given(
    st.integers(0, 599),
    st.text(max_size=200),
    st.sampled_from(["", "failed", "delayed", "relayed", "hum"]),
    st.text(max_size=20),
)
def test_any_answer_gets_a_verdict(code: int, text: str, action: str, site: str) -> None:
    assert classify(Reply(code, None, text), action=action, site=site).status in VerdictStatus


def test_a_name_not_found_for_now_may_be_found_tomorrow() -> None:
    assert classify(parse_reply("451 4.4.4 Unroutable domain"), action="failed").reason is Reason.NETWORK_ERROR
    assert classify(parse_reply("550 5.4.4 Unroutable domain"), action="failed").reason is Reason.HOST_UNKNOWN


def test_a_domain_without_mail_for_now_is_not_without_mail() -> None:
    assert classify(parse_reply("421 4.4.0 no valid MX record"), action="failed").reason is Reason.NETWORK_ERROR


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("550 Not from this ip", Fault.SENDER),
        ("550 Bad karma", Fault.SENDER),
        ("554 No Resent-From field given", Fault.CONTENT),
        ("550 Scanner gave it 8.2 points", Fault.CONTENT),
        ("554 pipe: user maximal restarts exceeded", Fault.REMOTE),
        ("552 no room for her mail", Fault.RECIPIENT_MAILBOX),
        ("550 account is long gone", Fault.RECIPIENT_ADDRESS),
    ],
)
def test_words_no_rule_knows_hint_at_whom_they_speak_of(text: str, fault: Fault) -> None:
    verdict = classify(parse_reply(text), action="failed")
    assert verdict.fault is fault
    assert verdict.rule.startswith("hints.toml") or fault is Fault.CONTENT


def test_a_hint_weighs_less_than_a_status_and_nothing_in_a_long_text_or_for_now() -> None:
    assert classify(parse_reply("550 5.1.1 Not from this ip")).reason is Reason.USER_UNKNOWN
    assert classify(parse_reply("550 Not from this ip" + " hum" * 100)).reason is Reason.UNDEFINED
    assert classify(parse_reply("450 Not from this ip")).reason is Reason.DELAYED


def test_a_status_of_success_explains_no_failure() -> None:
    assert classify(parse_reply("550 2.1.1 hum")).reason is Reason.UNDEFINED


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Bad connection", Reason.NETWORK_ERROR),
        ("DNS query failed for example.org", Reason.POLICY),
        ("Conversion with loss performed", Reason.UNDEFINED),
        ("Access denied", Reason.USER_UNKNOWN),
        ("", Reason.USER_UNKNOWN),
    ],
)
def test_what_stands_behind_recipient_address_rejected_tells_why(said: str, reason: Reason) -> None:
    reply = parse_reply(f"550 <ida@example.com>: Recipient address rejected: {said}")
    assert classify(reply, action="failed").reason is reason


def test_a_busy_mailbox_is_not_unknown() -> None:
    assert classify(parse_reply("450 mailbox unavailable"), action="failed").reason is Reason.RECIPIENT_BUSY
    assert classify(parse_reply("550 mailbox unavailable"), action="failed").reason is Reason.USER_UNKNOWN


def test_an_answer_that_nobody_understands_stays_so_whatever_is_said_around_it() -> None:
    _, verdict = judge(["550 zxy 77", "Your message could not be delivered"])
    assert (verdict.reason, verdict.action) == (Reason.UNDEFINED, Action.COUNT)
    _, verdict = judge(["", "Your message could not be delivered"])
    assert verdict.reason is Reason.FAILED


def test_a_sentence_nearer_to_the_recipient_that_nobody_understands_stays_so_too() -> None:
    _, verdict = judge(["ida@example.org: zxy hum bla bla", "Your message could not be delivered"])
    assert verdict.reason is Reason.UNDEFINED
    _, verdict = judge(["to Ida", "Your message could not be delivered", "hum hum hum hum hum"])
    assert verdict.reason is Reason.FAILED
