"""What an answer or a report means for one message: its next status and time, its card, its address. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol

from config.vocabulary import Action, AddressStatus, Fault, MessageStatus, Reason, Verdict, VerdictStatus
from engine.lifecycle import CARD_STATUS_OF, may_move
from engine.store.message_rows import Message
from engine.store.queue import Job

UNCERTAIN = Verdict(VerdictStatus.UNKNOWN, Reason.UNCERTAIN, Fault.UNKNOWN, Action.NONE)
"""The answer to the final dot was never seen."""

_TRIED_AGAIN = frozenset({MessageStatus.SOFT_BOUNCED, MessageStatus.DEFERRED, MessageStatus.UNKNOWN})
_BY_THE_MEMBER = frozenset({Fault.COMPLAINT, Fault.OPTOUT})
_MARKS_AFTER_ALL = frozenset({Fault.RECIPIENT_ADDRESS, Fault.RECIPIENT_MAILBOX, Fault.REMOTE})
"""Faults that mark the card once the days of trying are over; our own (sender, content) never do."""


Scope = Literal["everywhere", "association"]
"""How far complaints and opt-outs reach."""


class Schedule(Protocol):
    """When a message is tried again, or None where its days are over (`queue.retry_schedule.next_attempt`)."""

    def __call__(
        self,
        first_attempt_at: datetime,
        attempts: int | None,
        now: datetime,
        message_id: int,
        *,
        wait_hint_seconds: float | None = None,
        slow: bool = False,
        window: timedelta,
    ) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator has chosen: the days of trying, what to do in doubt, how far a complaint reaches."""

    schedule: Schedule
    window: timedelta = timedelta(days=5)
    uncertain: Literal["resend", "hold"] = "resend"
    scope: Scope = "everywhere"


class Decision(NamedTuple):
    """What becomes of a message, and of its address where `suppress`, `strike` or `accepted` say so.

    `status` None leaves the message as it is: the news is only noted. `uses_try` False: the attempt does not count.
    """

    status: MessageStatus | None
    verdict: Verdict
    next_attempt_at: datetime | None = None
    card: AddressStatus | None = None
    suppress: MessageStatus | None = None
    strike: bool = False
    accepted: bool = False
    uses_try: bool = True


def decide_attempt(
    job: Job,
    verdict: Verdict,
    at: datetime,
    policy: Policy,
    *,
    wait_hint_seconds: float | None = None,
) -> Decision:
    """What the answer to one attempt makes of its message; one that is about us and our pace uses no try of it."""
    status = verdict.status.message_status or MessageStatus.UNKNOWN
    if status not in _TRIED_AGAIN:
        return _end(status, verdict)
    uses_try = verdict.fault is not Fault.SENDER and verdict.reason is not Reason.THROTTLED
    due = policy.schedule(
        job.first_attempt_at,
        job.attempts if uses_try else None,
        at,
        job.message_id,
        wait_hint_seconds=wait_hint_seconds,
        window=policy.window,
    )
    return _again(status, verdict, due)._replace(uses_try=uses_try)


def decide_uncertain(job: Job, at: datetime, policy: Policy, *, wait_hint_seconds: float | None = None) -> Decision:
    """What becomes of a message whose final dot was never answered: tried again, or held until a person decides."""
    if policy.uncertain == "hold":
        return Decision(MessageStatus.UNKNOWN, UNCERTAIN)
    return decide_attempt(job, UNCERTAIN, at, policy, wait_hint_seconds=wait_hint_seconds)


def decide_report(message: Message, verdict: Verdict, at: datetime, policy: Policy) -> Decision:
    """What a returned mail makes of the message that it is about."""
    status = verdict.status.message_status
    only_noted = Decision(None, verdict)
    if status is MessageStatus.SENT:
        return Decision(status, verdict, accepted=True) if _is_in_doubt(message) else only_noted
    if status is MessageStatus.DEFERRED:
        return Decision(status, verdict) if message.status is MessageStatus.SENT else only_noted
    if status in (MessageStatus.SOFT_BOUNCED, MessageStatus.UNKNOWN):
        return _came_back(message, status, verdict, at, policy) if _has_left(message) else only_noted
    if status is None:
        return only_noted
    return _end_by_report(message, status, verdict)


def decide_correction(
    message: Message, before: MessageStatus, verdict: Verdict, now: datetime, policy: Policy
) -> Decision:
    """What a message becomes whose last news, which found it in the status `before`, is now understood like this."""
    status = verdict.status.message_status or before
    if status not in _TRIED_AGAIN:
        return _end(status, verdict)
    if message.status in _TRIED_AGAIN or (status is MessageStatus.DEFERRED and before is MessageStatus.SENT):
        return Decision(status, verdict, message.next_attempt_at)
    first = message.first_attempt_at or message.created_at
    due = policy.schedule(first, message.attempts, now, message.message_id, slow=True, window=policy.window)
    return _again(status, verdict, due)


def decide_opt_out(message: Message, how: str) -> Decision:
    """What a member's wish for no more makes of the message that was answered with it."""
    verdict = Verdict(VerdictStatus.UNSUBSCRIBED, Reason.OPT_OUT, Fault.OPTOUT, Action.SUPPRESS, how)
    return _end_by_report(message, MessageStatus.UNSUBSCRIBED, verdict)


def reach_of(verdict: Verdict, association_id: int, scope: Scope) -> int | None:
    """Complaints and opt-outs reach as far as the installation says; what is dead is dead for everybody (None)."""
    return association_id if verdict.fault in _BY_THE_MEMBER and scope == "association" else None


def spare(decision: Decision) -> Decision:
    """The same decision without a blow to the address, unless it is the member's own wish."""
    if decision.verdict.fault in _BY_THE_MEMBER:
        return decision
    return decision._replace(card=None, suppress=None, strike=False)


def give_up(reason: Reason, fault: Fault) -> Decision:
    """What becomes of a message that was held until its days were over, never let through."""
    return _expired(Verdict(VerdictStatus.BOUNCED, reason, fault, Action.NONE))


def _end(status: MessageStatus, verdict: Verdict) -> Decision:
    """No more is tried. The address is touched only where the verdict says so."""
    if verdict.action is not Action.SUPPRESS:
        accepted = status is MessageStatus.SENT
        return Decision(status, verdict, accepted=accepted, strike=verdict.action is Action.COUNT)
    return Decision(status, verdict, card=CARD_STATUS_OF.get(status), suppress=status)


def _again(status: MessageStatus, verdict: Verdict, due: datetime | None) -> Decision:
    if due is None:
        return _expired(verdict)
    return Decision(status, verdict, due, strike=verdict.action is Action.COUNT)


def _expired(verdict: Verdict) -> Decision:
    """The days of trying are over: always the end of the message, and of the address where the fault lies there."""
    if verdict.fault not in _MARKS_AFTER_ALL:
        return Decision(MessageStatus.BOUNCED, verdict)
    bounced = MessageStatus.BOUNCED
    return Decision(bounced, verdict, card=CARD_STATUS_OF[bounced], suppress=bounced)


def _came_back(message: Message, status: MessageStatus, verdict: Verdict, at: datetime, policy: Policy) -> Decision:
    """A temporary bounce by mail: sent again on the slow part of the schedule, within the same days."""
    first = message.first_attempt_at or message.created_at
    due = policy.schedule(first, message.attempts, at, message.message_id, slow=True, window=policy.window)
    return _again(status, verdict, due)


def _end_by_report(message: Message, status: MessageStatus, verdict: Verdict) -> Decision:
    """The end that a report tells. A wish counts wherever the message stands; the same complaint counts once."""
    decision = _end(status, verdict)
    if may_move(message.status, status):
        return decision
    is_wish = verdict.fault in _BY_THE_MEMBER and message.status is not MessageStatus.SPAM
    return decision._replace(status=None) if is_wish else Decision(None, verdict)


def _has_left(message: Message) -> bool:
    """True where a receiver has taken the mail and we send nothing more of our own accord."""
    return message.status is MessageStatus.SENT or _is_delayed(message)


def _is_delayed(message: Message) -> bool:
    """Deferred by a delay notice of a server on the way, which goes on trying."""
    return message.status is MessageStatus.DEFERRED and message.next_attempt_at is None


def _is_in_doubt(message: Message) -> bool:
    return message.status is MessageStatus.UNKNOWN or _is_delayed(message)
