"""The judge finds what is wrong and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from config.vocabulary import AddressStatus, MailingKind, MessageStatus
from engine.return_path import KeyRing, Purpose, sign
from engine.sandbox.characters import BY_NAME
from engine.sandbox.people import Member
from engine.sandbox.receiver_log import Receipt
from scripts.demonstration.judge import Entry, Judgement, Mail, judge

RING = KeyRing((b"k" * 32,))
SENT = MessageStatus.SENT
RECEIPT = Receipt(
    at=datetime(2026, 1, 12, tzinfo=UTC),
    host="mx1.norrpost.example",
    recipient="ida@norrpost.example",
    message_id="<1@retur.example>",
    token=sign(RING, Purpose.BOUNCE, 1),
    digest="a",
    size_bytes=1,
    is_tidy=True,
    is_answered=True,
    is_kept=True,
)
DROPPED = replace(RECEIPT, is_answered=False)


def member(character: str = "reads") -> Member:
    return Member("Ida", "Idunsson", "ida@norrpost.example", "1001", "Åbo", 0, BY_NAME[character])


def entry(card: AddressStatus = AddressStatus.CONFIRMED, **mails: Mail) -> Entry:
    return Entry(card, {MailingKind(kind): [mail] for kind, mail in mails.items()})


def judged(receipts: list[Receipt], one: Member, found: Entry | None) -> Judgement:
    return judge([(one, found)], receipts, RING)


GOOD_MAIL = Mail(1, SENT, frozenset({SENT}))
GOOD = entry(confirmation=GOOD_MAIL, mailing=Mail(2, SENT, frozenset({SENT})))
BOTH = [RECEIPT, replace(RECEIPT, token=sign(RING, Purpose.BOUNCE, 2))]


def test_all_as_expected_is_clean() -> None:
    assert judged(BOTH, member(), GOOD) == Judgement((), 0, 0, 0)


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (None, ["card"]),
        (entry(AddressStatus.PROBLEM_BOUNCED, confirmation=Mail(1, SENT, frozenset({SENT}))), ["card", "mailing"]),
        (entry(), ["confirmation", "mailing"]),
    ],
)
def test_what_the_register_says_wrongly_is_a_mismatch(found: Entry | None, what: list[str]) -> None:
    mismatches = judged(BOTH[:1], member(), found).mismatches
    assert [one.what for one in mismatches if one.what != "received mail"] == what


def test_a_mail_in_the_wrong_status_is_a_mismatch() -> None:
    found = entry(confirmation=GOOD_MAIL, mailing=Mail(2, MessageStatus.SOFT_BOUNCED, frozenset({SENT})))
    [mismatch] = judged(BOTH, member(), found).mismatches
    assert (mismatch.what, mismatch.expected, mismatch.found) == ("mailing", "sent", "soft_bounced")


@pytest.mark.parametrize("wrong", [Judgement((), 1, 0, 0), Judgement((), 0, 1, 0)])
def test_nothing_may_be_lost_or_twice(wrong: Judgement) -> None:
    assert not wrong.is_clean


def test_a_status_that_never_came_on_the_way_is_a_mismatch() -> None:
    [mismatch] = judged(BOTH, member("is_full_for_two_days"), GOOD).mismatches
    assert (mismatch.what, mismatch.expected) == ("mailing on the way", "soft_bounced")


def test_what_was_said_to_be_sent_and_no_receiver_has_is_lost() -> None:
    assert judged(BOTH[:1], member(), GOOD).lost == 1
    assert judged([BOTH[0], replace(BOTH[1], is_kept=False)], member(), GOOD).lost == 1


def test_a_mail_that_bounced_after_its_answer_is_not_lost() -> None:
    status = MessageStatus.BOUNCED
    bounced = entry(
        AddressStatus.PROBLEM_BOUNCED,
        confirmation=Mail(1, SENT, frozenset({SENT})),
        mailing=Mail(2, status, frozenset({SENT, status})),
    )
    receipts = [BOTH[0], replace(BOTH[1], is_kept=False)]
    assert judged(receipts, member("bounces_later_as_closed"), bounced).is_clean


def test_a_second_copy_is_a_duplicate_unless_the_first_was_never_answered() -> None:
    assert judged([*BOTH, RECEIPT], member(), GOOD).duplicates == 1
    judgement = judged([DROPPED, *BOTH], member(), GOOD)
    assert (judgement.duplicates, judgement.uncertain, judgement.is_clean) == (0, 1, True)


def test_a_mail_may_be_in_doubt_only_where_its_final_dot_was_not_answered() -> None:
    doubtful = frozenset({MessageStatus.UNKNOWN, SENT})
    found = entry(confirmation=Mail(1, SENT, doubtful), mailing=Mail(2, SENT, frozenset({SENT})))
    assert [one.what for one in judged(BOTH, member(), found).mismatches] == ["doubt"]
    assert judged([DROPPED, *BOTH], member(), found).is_clean


def test_a_copy_that_nobody_kept_is_none() -> None:
    assert judged([replace(DROPPED, is_kept=False), *BOTH], member(), GOOD) == Judgement((), 0, 0, 0)


@pytest.mark.parametrize(
    ("odd", "what"),
    [
        (replace(DROPPED, digest="b"), "copies"),
        (replace(DROPPED, is_tidy=False), "line ends"),
        (replace(RECEIPT, token="1.forged"), "received mail"),
        (replace(RECEIPT, token=""), "received mail"),
    ],
)
def test_odd_mail_is_a_mismatch(odd: Receipt, what: str) -> None:
    assert [one.what for one in judged([odd, *BOTH], member(), GOOD).mismatches] == [what]
