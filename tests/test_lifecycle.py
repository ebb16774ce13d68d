"""The two tables of allowed moves, as properties."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from config.vocabulary import AddressStatus, MailingState, MessageStatus
from engine.lifecycle import CARD_MOVES, CARD_STATUS_OF, FINAL, MESSAGE_MOVES, WAITING, may_move, may_turn, state_of

messages = st.sampled_from(MessageStatus)
cards = st.sampled_from(AddressStatus)


def test_every_status_has_its_row() -> None:
    assert set(MESSAGE_MOVES) == set(MessageStatus)
    assert set(CARD_MOVES) == set(AddressStatus)


def test_a_message_waits_or_is_done_or_has_not_begun() -> None:
    assert WAITING | FINAL | {MessageStatus.NONE} == set(MessageStatus)
    assert not WAITING & FINAL


def test_a_mailing_that_was_let_go_is_finished_once_nothing_waits() -> None:
    for kept in MailingState:
        is_let_go = kept in (MailingState.SENDING, MailingState.PAUSED)
        done = {MessageStatus.SENT: 3, MessageStatus.BOUNCED: 1}
        assert state_of(kept, done) is (MailingState.FINISHED if is_let_go else kept)
        assert state_of(kept, done | {MessageStatus.DEFERRED: 1}) is kept


def test_a_message_begins_as_none_and_comes_from_there_into_the_queue() -> None:
    assert may_move(MessageStatus.NONE, MessageStatus.QUEUED)
    assert not may_move(MessageStatus.NONE, MessageStatus.SENT)


@given(messages)
def test_every_status_can_be_reached_from_none(goal: MessageStatus) -> None:
    reached = {MessageStatus.NONE}
    while more := {new for old in reached for new in MESSAGE_MOVES[old]} - reached:
        reached |= more
    assert goal in reached


@given(st.sampled_from(sorted(WAITING)))
def test_every_waiting_message_can_be_sent_bounce_or_be_blocked(old: MessageStatus) -> None:
    assert {MessageStatus.SENT, MessageStatus.BOUNCED, MessageStatus.BLOCKED} <= MESSAGE_MOVES[old]


@given(st.sampled_from(sorted(FINAL)), messages)
def test_nothing_final_goes_back_into_the_queue_but_what_a_receiver_had_accepted(
    old: MessageStatus, new: MessageStatus
) -> None:
    if may_move(old, new) and new in WAITING:
        assert old is MessageStatus.SENT


def test_a_sent_message_can_still_bounce_be_complained_about_and_be_unsubscribed_from() -> None:
    later = {MessageStatus.BOUNCED, MessageStatus.INVALID, MessageStatus.SPAM, MessageStatus.UNSUBSCRIBED}
    assert later <= MESSAGE_MOVES[MessageStatus.SENT]


def test_a_blocked_message_was_never_sent_and_stays_blocked() -> None:
    assert not MESSAGE_MOVES[MessageStatus.BLOCKED]


@given(cards)
def test_a_problem_can_befall_every_card(old: AddressStatus) -> None:
    assert all(may_turn(old, status) for status in AddressStatus if status.is_problem)


@given(cards)
def test_a_problem_is_only_left_by_way_of_unconfirmed(old: AddressStatus) -> None:
    if old.is_problem:
        assert {new for new in CARD_MOVES[old] if not new.is_problem} == {AddressStatus.UNCONFIRMED}


@given(cards)
def test_only_asked_or_unasked_members_become_confirmed(old: AddressStatus) -> None:
    asked = old in (AddressStatus.UNCONFIRMED, AddressStatus.REQUESTED)
    assert may_turn(old, AddressStatus.CONFIRMED) == asked


def test_every_bad_end_of_a_message_has_its_mark_on_the_card() -> None:
    assert set(CARD_STATUS_OF.values()) == {status for status in AddressStatus if status.is_problem}
    assert set(CARD_STATUS_OF) <= FINAL
