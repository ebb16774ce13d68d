"""Who a notice is about, and which of its words belong to whom."""

from __future__ import annotations

import pytest

from dsn_parser.prose.mentions import Part, find_mentions
from dsn_parser.prose.notice import behind_label, names_anybody, read_notice
from dsn_parser.prose.transcript import read_transcript


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        (["<a@b.example>:"], Part.HEADING),
        (["  a@b.example"], Part.HEADING),
        (['"a@b.example":'], Part.HEADING),
        (["a@b.example on Mon, 3 Mar 2025"], Part.HEADING),
        (["* a@b.example"], Part.HEADING),
        (["-- a@b.example"], Part.HEADING),
        (["550 5.1.1 <a@b.example>... User unknown"], Part.HEADING),
        (["Could not be delivered to: <a@b.example>"], Part.HEADING),
        (["Failed Recipient: a@b.example"], Part.HEADING),
        (["mottagaren a@b.example"], Part.HEADING),
        (["did not like our RCPT TO:<a@b.example>"], Part.COMMAND),
        ([">>> RCPT TO:<a@b.example>", "<<< 550 no"], Part.COMMAND),
        (["In:  RCPT TO:<a@b.example>", "Out: 451 later"], Part.COMMAND),
        ([">>> RCPT TO:<a@b.example>", "<<< 250 ok"], Part.BYSTANDER),
        (["it is a@b.example that refuses"], Part.SENTENCE),
        (["(expanded from: <a@b.example>)"], Part.ALIAS),
        (["    (generated from a@b.example)"], Part.ALIAS),
        (["  To: a@b.example"], Part.HEADER),
        (["For further assistance, please contact <a@b.example>"], Part.BYSTANDER),
        (["For further assistance, please send mail to", "<postmaster@b.example>"], Part.BYSTANDER),
        (["Message-ID: <a@b.example>"], Part.BYSTANDER),
        (["MAIL FROM:<a@b.example>"], Part.BYSTANDER),
        (["  From: Ida <a@b.example>"], Part.BYSTANDER),
        (["has moved to a@b.example"], Part.BYSTANDER),
    ],
)
def test_the_part_that_an_address_plays(lines: list[str], part: Part) -> None:
    assert [mention.part for mention in find_mentions("\n".join(lines))] == [part]


def test_of_two_addresses_in_a_row_the_bracketed_one_is_meant() -> None:
    assert read_notice("  ida@example.org <ola@example.org>: malformed address").recipients == ["ola@example.org"]


def test_each_recipient_has_its_own_words() -> None:
    notice = read_notice(
        "Sorry.\n\n<ida@example.org>:\nNo such user\n\n<ola@example.org>: host said:\n552 mailbox full\n"
    )
    assert notice.recipients == ["ida@example.org", "ola@example.org"]
    assert notice.words_for("ida@example.org") == "<ida@example.org>: No such user"
    assert notice.words_for("ola@example.org") == "<ola@example.org>: host said: 552 mailbox full"
    assert notice.words_for_all == "Sorry."


def test_recipients_listed_together_share_the_reason_below_them() -> None:
    notice = read_notice("These failed:\n<ida@example.org>\n<ola@example.org>\nReason: mailbox full\n")
    assert (
        notice.words_for("ida@example.org")
        == notice.words_for("ola@example.org")
        == "<ola@example.org> Reason: mailbox full"
    )


def test_a_heading_belongs_to_those_below_it() -> None:
    notice = read_notice("<ida@example.org>: no such user\nThese are full:\n<ola@example.org>\nmailbox full")
    assert notice.words_for("ida@example.org") == "<ida@example.org>: no such user"


def test_only_named_recipients_are_looked_for_when_they_are_known() -> None:
    notice = read_notice("ida@example.org: full\nola@example.org: gone", ("OLA@example.org",))
    assert notice.recipients == ["ola@example.org"]
    assert notice.words_for("ola@example.org") == "ola@example.org: gone"


def test_an_alias_is_remembered_beside_the_address_that_failed() -> None:
    notice = read_notice("<ida@annan.example>\n    (expanded from: <ida@example.org>)\n    user unknown")
    assert notice.aliases == {"ida@annan.example": "ida@example.org"}


def test_chatter_is_no_reason() -> None:
    notice = read_notice(
        "<ida@example.org>:\n>>> MAIL FROM:<x@y.example> SIZE=9999\n<<< 250 ok\n"
        "If you do so, please include this problem report."
    )
    assert notice.words_for("ida@example.org") == ""


def test_a_transcript_tells_what_the_other_server_said_of_whom() -> None:
    said = read_transcript(
        [
            "While talking to mx.example.org:",
            ">>> MAIL From:<x@y.example>",
            "<<< 501 open relay",
            "554 <ida@example.org>... Remote protocol error",
            "550 annan.example (smtp)... 550 Host unknown",
            "554 <ola@annan.example>... 550 Host unknown",
            "While talking to mx2.example.org:",
            ">>> RCPT To:<eva@example.org>",
            "<<< 250 fine",
            ">>> DATA",
            "<<< 552 full",
            "552 5.2.2 <eva@example.org>... Mailbox full",
        ]
    )
    assert said == {
        "ida@example.org": "501 open relay (in reply to MAIL From command)",
        "ola@annan.example": "554 <ola@annan.example>... 550 Host unknown",
        "eva@example.org": "552 full",
    }


def test_a_notice_may_name_nobody() -> None:
    assert not names_anybody("Please contact postmaster@example.org.\nTo: ida@example.org")
    assert names_anybody("<ida@example.org>: no")


def test_addresses_in_a_row_play_one_part() -> None:
    notice = read_notice(
        "Could not deliver message to ida@example.org, <ola@example.org> and eva@example.org: no domain"
    )
    assert notice.recipients == ["ida@example.org", "ola@example.org", "eva@example.org"]


def test_what_stands_behind_the_last_label_is_the_reason() -> None:
    assert behind_label("<ida@example.org> Reason: Remote host said: 550 no") == "550 no"
    assert behind_label("refused for policy reasons: 550 no") == ""


def test_an_answer_that_names_somebody_is_about_nobody_else() -> None:
    said = read_transcript(
        [
            "<<< 552 <ida@example.org>: full",
            "552 5.2.2 <ida@example.org>... Mailbox full",
            "550 5.1.2 <eva@example.org>... Host unknown",
        ]
    )
    assert said["eva@example.org"] == "550 5.1.2 <eva@example.org>... Host unknown"


def test_an_answer_without_a_summary_is_about_everybody() -> None:
    assert read_transcript([">>> EHLO mx.example.net", "<<< 550 no"]) == {"": "550 no (in reply to EHLO command)"}
