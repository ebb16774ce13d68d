"""At which command a refusal fell, told by the words of the mailer that reports it, and what follows from that."""

from __future__ import annotations

import pytest

from config.vocabulary import Action, Fault, Reason
from dsn_parser.classify import classify
from dsn_parser.prose.stage import refused_stage
from dsn_parser.read_report import read_report
from dsn_parser.reply import parse_reply

BOUNCE = """From: MAILER-DAEMON@mx.example.org
Subject: Undelivered Mail Returned to Sender

<ida@example.org>: host mx.example.org[192.0.2.20] said: {}
"""


@pytest.mark.parametrize(
    ("words", "stage"),
    [
        ("said: 550 no (in reply to MAIL FROM command)", "mail"),
        ("SMTP error from remote mail server after pipelined MAIL FROM:<a@b.example> SIZE=9: 550 no", "mail"),
        ("SMTP error from remote mail server after initial connection: 554 no", "connect"),
        ("did not like our EHLO: 550 no", "helo"),
        ("Connected to 192.0.2.20 but greeting failed.", "banner"),
        ("Connected to 192.0.2.20 but sender was rejected.", "mail"),
        ("ida@example.org (reading banner): 554 no", "banner"),
        ("said: 554 no (in reply to end of DATA command)", "dot"),
        ("SMTP error from remote mail server after end of data: 550 no", "dot"),
        ("said: 550 no (in reply to RCPT TO command)", ""),
        ("there is an answer but nothing else", ""),
    ],
)
def test_the_stage_is_read_from_the_words(words: str, stage: str) -> None:
    assert refused_stage(words) == stage


@pytest.mark.parametrize("command", ["MAIL FROM", "EHLO", "HELO"])
def test_before_a_recipient_was_named_the_report_blames_none(command: str) -> None:
    raw = BOUNCE.format(f"550 5.1.1 User unknown (in reply to {command} command)")
    (finding,) = read_report(raw.encode()).findings
    assert (finding.verdict.fault, finding.verdict.action) == (Fault.SENDER, Action.NONE)


def test_a_transcript_tells_that_the_sender_was_refused() -> None:
    raw = BOUNCE.format("see below\n\n>>> MAIL From:<kim@example.net>\n<<< 550 No such user")
    (finding,) = read_report(raw.encode()).findings
    assert finding.verdict.action is Action.NONE


@pytest.mark.parametrize("stage", ["data", "dot"])
def test_after_data_only_words_can_blame_a_recipient(stage: str) -> None:
    assert classify(parse_reply("554 zxy 77"), stage=stage).reason is Reason.CONTENT_POLICY
    assert classify(parse_reply("554 zxy 77"), stage="rcpt").reason is Reason.UNDEFINED
    assert classify(parse_reply("550 Unknown user"), stage=stage).reason is Reason.USER_UNKNOWN
    assert classify(parse_reply("451 zxy 77"), stage=stage).reason is Reason.DELAYED
