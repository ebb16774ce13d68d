"""The allowed moves of a message and of a card, as two tables; everything else asks here."""

from __future__ import annotations

from collections.abc import Mapping

from config.vocabulary import AddressStatus, MailingState, MessageStatus

M = MessageStatus
A = AddressStatus

WAITING = frozenset({M.QUEUED, M.DEFERRED, M.SOFT_BOUNCED, M.UNKNOWN})
"""Statuses in which a message may still be tried."""

FINAL = frozenset({M.SENT, M.BOUNCED, M.SPAM, M.UNSUBSCRIBED, M.BLOCKED, M.INVALID, M.OPENED, M.CLICKED})
"""Statuses in which nothing more is tried; a later report may still move some of them."""

_TRIED = frozenset({M.SENT, M.SOFT_BOUNCED, M.DEFERRED, M.UNKNOWN, M.BOUNCED, M.INVALID, M.BLOCKED})
_REPORTED = frozenset({M.SOFT_BOUNCED, M.DEFERRED, M.UNKNOWN, M.BOUNCED, M.INVALID, M.BLOCKED, M.SPAM, M.UNSUBSCRIBED})
_READ = frozenset({M.OPENED, M.CLICKED})

MESSAGE_MOVES: dict[MessageStatus, frozenset[MessageStatus]] = {
    M.NONE: frozenset({M.QUEUED, M.BLOCKED, M.INVALID}),
    M.QUEUED: _TRIED | {M.NONE, M.UNSUBSCRIBED, M.SPAM},
    M.DEFERRED: _TRIED | {M.NONE, M.QUEUED, M.UNSUBSCRIBED, M.SPAM},
    M.SOFT_BOUNCED: _TRIED | {M.NONE, M.QUEUED, M.UNSUBSCRIBED, M.SPAM},
    M.UNKNOWN: _TRIED | {M.NONE, M.QUEUED, M.UNSUBSCRIBED, M.SPAM},
    M.SENT: _REPORTED | _READ,
    M.OPENED: frozenset({M.CLICKED, M.SPAM, M.UNSUBSCRIBED}),
    M.CLICKED: frozenset({M.SPAM, M.UNSUBSCRIBED}),
    M.BOUNCED: frozenset({M.SENT}),
    M.INVALID: frozenset({M.SENT}),
    M.BLOCKED: frozenset(),
    M.SPAM: frozenset({M.UNSUBSCRIBED}),
    M.UNSUBSCRIBED: frozenset({M.SPAM}),
}
"""From each status, the statuses it may move to. `bounced` and `invalid` may return to `sent` only by `reclassify`."""

CORRECTABLE = _REPORTED | _READ | {M.SENT}
"""What an answer or a report can make of a message: where it was misunderstood, `reclassify` may put any of these."""

_PROBLEMS = frozenset(status for status in A if status.is_problem)

CARD_MOVES: dict[AddressStatus, frozenset[AddressStatus]] = {
    A.UNCONFIRMED: _PROBLEMS | {A.REQUESTED, A.CONFIRMED},
    A.REQUESTED: _PROBLEMS | {A.CONFIRMED, A.UNCONFIRMED},
    A.CONFIRMED: _PROBLEMS | {A.UNCONFIRMED},
    **{problem: _PROBLEMS | {A.UNCONFIRMED} for problem in _PROBLEMS},
}
"""From each address status, where it may go; `unconfirmed` is reached by changing the address or lifting the block."""

CARD_STATUS_OF: dict[MessageStatus, AddressStatus] = {
    M.BOUNCED: A.PROBLEM_BOUNCED,
    M.SPAM: A.PROBLEM_SPAM,
    M.UNSUBSCRIBED: A.PROBLEM_UNSUBSCRIBED,
    M.BLOCKED: A.PROBLEM_BLOCKED,
    M.INVALID: A.PROBLEM_INVALID,
}
"""What a message's bad end makes of the card it was sent for."""


def count_waiting(counts: Mapping[MessageStatus, int]) -> int:
    """How many messages may still be tried."""
    return sum(count for status, count in counts.items() if status in WAITING)


def state_of(kept: MailingState, counts: Mapping[MessageStatus, int]) -> MailingState:
    """Where a mailing stands: what was let go, or paused, is finished once none of its messages waits."""
    is_let_go = kept in (MailingState.SENDING, MailingState.PAUSED)
    return MailingState.FINISHED if is_let_go and not count_waiting(counts) else kept


def may_move(old: MessageStatus, new: MessageStatus) -> bool:
    return new in MESSAGE_MOVES[old]


def may_correct(old: MessageStatus, new: MessageStatus) -> bool:
    return {old, new} <= CORRECTABLE


def may_turn(old: AddressStatus, new: AddressStatus) -> bool:
    return new in CARD_MOVES[old]
