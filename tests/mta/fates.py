"""What has to become of mail to members whose mailboxes at real servers behave in one way or another."""

from __future__ import annotations

from dataclasses import dataclass

from config.vocabulary import AddressStatus as A
from config.vocabulary import MessageStatus as M
from config.vocabulary import Reason as R

NOWHERE = "nowhere.example"
"""A domain that does not exist."""
CLOSED = "closed.example"
"""A domain that says it takes no mail."""
SILENT = "silent.example"
"""A domain whose exchanger nobody answers at; servers give up on it after some seconds."""
SLOW = "slow.example"
"""The same, only that servers have more patience than the test."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What the first hours must bring (statuses in order, last reason, card), and what is left after six days."""

    path: tuple[M, ...]
    reasons: tuple[R, ...]
    card: A
    end: M
    end_card: A


TAKEN = Fate((M.QUEUED, M.SENT), (R.ACCEPTED,), A.CONFIRMED, M.SENT, A.CONFIRMED)
FULL = Fate((M.QUEUED, M.SOFT_BOUNCED), (R.MAILBOX_FULL,), A.CONFIRMED, M.BOUNCED, A.PROBLEM_BOUNCED)
GREY = Fate((M.QUEUED, M.DEFERRED), (R.GREYLISTED,), A.CONFIRMED, M.BOUNCED, A.CONFIRMED)
LATE = Fate((M.QUEUED, M.SENT, M.DEFERRED), (R.DELAYED, R.NETWORK_ERROR), A.CONFIRMED, M.SENT, A.CONFIRMED)
"""A delay notice, and never another word: taken to have arrived when six days have passed."""


def refused(*reasons: R) -> Fate:
    """Refused for good while we talked."""
    return Fate((M.QUEUED, M.INVALID), reasons, A.PROBLEM_INVALID, M.INVALID, A.PROBLEM_INVALID)


def came_back(*reasons: R) -> Fate:
    """Taken, and sent back for good: by this server or by one behind it."""
    return Fate((M.QUEUED, M.SENT, M.INVALID), reasons, A.PROBLEM_INVALID, M.INVALID, A.PROBLEM_INVALID)


def failed(*reasons: R) -> Fate:
    """Taken, and failed for now: sent again, and failed again, until the five days are over."""
    return Fate((M.QUEUED, M.SENT, M.SOFT_BOUNCED), reasons, A.CONFIRMED, M.BOUNCED, A.PROBLEM_BOUNCED)


def given_up(*reasons: R) -> Fate:
    """Taken, said to be late, and then given up on."""
    return Fate((M.QUEUED, M.SENT, M.DEFERRED, M.SOFT_BOUNCED), reasons, A.CONFIRMED, M.BOUNCED, A.PROBLEM_BOUNCED)


FULL_FOR_NOW_WORDS = "452 4.2.2 The mailbox is over its quota, try again later"
FULL_WORDS = "552 5.2.2 The mailbox is full"
GREY_WORDS = "451 4.7.1 Greylisted, please try again in 300 seconds"
