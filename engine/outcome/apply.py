"""Write down what answers and reports mean: message, event, card, suppression, strikes and waiting mail together.

Everything happens in the caller's one transaction. What carries a stale lease changes nothing at all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from config.vocabulary import AddressStatus, EventKind, Fault, MessageStatus, Reason, Reply, Verdict
from engine.outcome.decide import (
    Decision,
    Policy,
    Scope,
    decide_attempt,
    decide_opt_out,
    decide_report,
    decide_uncertain,
    give_up,
    reach_of,
    spare,
)
from engine.store import addresses, consent, message_rows, messages, queue, waiting
from engine.store.blocking import block_waiting
from engine.store.card_status import Turn, turn
from engine.store.database import Connection
from engine.store.message_rows import Message
from engine.store.messages import Move
from engine.store.queue import Job
from engine.store.suppressions import Suppression, lifted_at, suppress, suppressed


class AttemptOutcome(NamedTuple):
    """How one attempt ended; `uncertain` where the answer to the final dot was never seen."""

    job: Job
    verdict: Verdict
    reply: Reply
    host: str
    tls: str
    uncertain: bool
    wait_hint_seconds: float | None
    at: datetime
    stage: str = ""


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """What a returned mail says of one message; `report_id` names the mail where it is kept."""

    message_id: int
    verdict: Verdict
    reply: Reply
    report_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """A site that takes no mail until an instant: its domains, and why."""

    domains: Collection[str]
    until: datetime
    reason: Reason
    fault: Fault
    text: str


class _News(NamedTuple):
    """What was decided about one message, and the words that prove it."""

    about: Job | Message
    decision: Decision
    words: Reply


_Settled = tuple[Message, ReportOutcome, Decision]
"""A message, what was reported of it, and what was decided."""


async def apply_attempts(
    connection: Connection, attempts: Sequence[AttemptOutcome], now: datetime, policy: Policy
) -> set[int]:
    """Settle a batch of attempts, each of another message; returns which moved. A stale lease writes nothing."""
    decisions = [_decide(attempt, policy) for attempt in attempts]
    moved = await messages.move(connection, list(map(_move_of_attempt, attempts, decisions)))
    news = [
        _News(attempt.job, decision, attempt.reply)
        for attempt, decision in zip(attempts, decisions, strict=True)
        if attempt.job.message_id in moved
    ]
    await queue.give_back_tries(connection, [one.about.message_id for one in news if not one.decision.uses_try])
    await _carry_out(connection, news, now, policy.scope)
    return moved


async def apply_reports(
    connection: Connection, reports: Sequence[ReportOutcome], now: datetime, policy: Policy
) -> set[int]:
    """Apply what a batch of returned mails says, those about one message one after the other; returns which moved.

    What can change nothing any more leaves a line in the history.
    """
    moved: set[int] = set()
    for part in _each_message_once(reports):
        moved |= await _apply_some(connection, part, now, policy)
    return moved


def _each_message_once(reports: Sequence[ReportOutcome]) -> list[list[ReportOutcome]]:
    """Split reports so that no part has two about one message, and their order is kept."""
    parts: list[list[ReportOutcome]] = []
    seen: Counter[int] = Counter()
    for report in reports:
        place = seen[report.message_id]
        seen[report.message_id] += 1
        if place == len(parts):
            parts.append([])
        parts[place].append(report)
    return parts


async def _apply_some(
    connection: Connection, reports: Sequence[ReportOutcome], now: datetime, policy: Policy
) -> set[int]:
    """Apply reports about different messages; returns those that moved."""
    ids = [report.message_id for report in reports]
    known = await message_rows.get_many(connection, ids, for_update=True)
    settled = [
        (message, report, decide_report(message, report.verdict, report.at, policy))
        for report in reports
        if (message := known.get(report.message_id))
    ]
    return await _settle(connection, await _spare_the_freed(connection, settled), now, policy.scope)


async def _spare_the_freed(connection: Connection, settled: Sequence[_Settled]) -> list[_Settled]:
    """Let no news of mail that left before an address was freed strike it again; what the member wants always counts.

    Servers report for days, and whoever freed the address has looked: it is the next mail that tells.
    """
    struck = {message.address_key for message, _, decision in settled if decision.suppress}
    freed = await lifted_at(connection, struck)
    return [
        (message, report, spare(decision) if _left_before(message, freed.get(message.address_key)) else decision)
        for message, report, decision in settled
    ]


def _left_before(message: Message, freed_at: datetime | None) -> bool:
    return freed_at is not None and (message.first_attempt_at or message.created_at) <= freed_at


async def unsubscribe(connection: Connection, message_id: int, how: str, now: datetime, scope: Scope) -> bool:
    """Let the member out who got a message; `how` says on which way. False where there is no such message."""
    message = await message_rows.get(connection, message_id, for_update=True)
    if message is None:
        return False
    stays_out = await suppressed(connection, [message.address_key], message.association_id)
    if message.status is not MessageStatus.UNSUBSCRIBED or not stays_out:
        decision = decide_opt_out(message, how)
        report = ReportOutcome(message_id, decision.verdict, Reply(0, text=how), None, now)
        await _settle(connection, [(message, report, decision)], now, scope)
    return True


async def pause_site(connection: Connection, pause: Pause, now: datetime, policy: Policy) -> set[int]:
    """Hold the mail for a site that takes none; what has waited its days out bounces instead, and is returned."""
    late = await waiting.overdue(connection, pause.domains, now - policy.window)
    decision = give_up(pause.reason, pause.fault)
    moved = await messages.move(connection, [_move_of_late(message, decision, pause, now) for message in late])
    await _carry_out(
        connection, [_News(message, decision, Reply(0, text=pause.text)) for message in late], now, policy.scope
    )
    await waiting.hold(
        connection, pause.domains, pause.until, now, reason=pause.reason, fault=pause.fault, text=pause.text
    )
    return moved


def _decide(attempt: AttemptOutcome, policy: Policy) -> Decision:
    hint = attempt.wait_hint_seconds
    if attempt.uncertain:
        return decide_uncertain(attempt.job, attempt.at, policy, wait_hint_seconds=hint)
    return decide_attempt(attempt.job, attempt.verdict, attempt.at, policy, wait_hint_seconds=hint)


async def _settle(connection: Connection, settled: Sequence[_Settled], now: datetime, scope: Scope) -> set[int]:
    """Move messages or note the news in their histories, and do what the news means beyond them."""
    moves = [_move_of_report(*one) for one in settled if one[2].status is not None]
    await messages.note(connection, [_move_of_report(*one) for one in settled if one[2].status is None])
    moved = await messages.move(connection, moves)
    news = [_News(message, decision, report.reply) for message, report, decision in settled]
    await _carry_out(connection, news, now, scope)
    return moved


async def _carry_out(connection: Connection, news: Sequence[_News], now: datetime, scope: Scope) -> None:
    """What the news means beyond its messages: cards, suppressions, waiting mail, strikes."""
    await _turn_cards(connection, news, now)
    await _suppress(connection, [one for one in news if one.decision.suppress], now, scope)
    struck = [one.about.address_key for one in news if one.decision.strike]
    await addresses.strike(connection, struck, now)
    await addresses.accept(connection, [one.about.address_key for one in news if one.decision.accepted], now)


async def _turn_cards(connection: Connection, news: Sequence[_News], now: datetime) -> None:
    turns = [Turn(one.about.card_id, one.about.address_key, one.decision.card) for one in news if one.decision.card]
    turned = await turn(connection, turns, now)
    for one in news:
        if one.about.card_id in turned and one.decision.card is AddressStatus.PROBLEM_UNSUBSCRIBED:
            await consent.note_withdrawn(connection, [one.about.card_id], str(one.words), now)


async def _suppress(connection: Connection, news: Sequence[_News], now: datetime, scope: Scope) -> None:
    """Write suppressions and let them reach the mail that waits."""
    suppressions = [_suppression(one, scope) for one in news]
    await suppress(connection, suppressions, now)
    by_reach: dict[int | None, list[str]] = defaultdict(list)
    for one in suppressions:
        by_reach[one.association_id].append(one.address_key)
    for association_id, keys in by_reach.items():
        await block_waiting(connection, keys, association_id, now)


def _suppression(news: _News, scope: Scope) -> Suppression:
    verdict, status = news.decision.verdict, news.decision.suppress
    assert status is not None
    return Suppression(
        news.about.address_key,
        reach_of(verdict, news.about.association_id, scope),
        status,
        verdict.reason,
        str(news.words),
        news.about.message_id,
    )


def _move_of_attempt(attempt: AttemptOutcome, decision: Decision) -> Move:
    assert decision.status is not None
    job, verdict = attempt.job, decision.verdict
    return Move(
        job.message_id,
        job.status,
        decision.status,
        attempt.at,
        verdict.reason,
        verdict.fault,
        verdict.rule,
        attempt.reply,
        attempt.host,
        attempt.tls,
        job.attempts,
        attempt.stage,
        EventKind.ATTEMPT,
        job.lease,
        decision.next_attempt_at,
    )


def _move_of_report(message: Message, report: ReportOutcome, decision: Decision) -> Move:
    return Move(
        message.message_id,
        message.status,
        decision.status or message.status,
        report.at,
        decision.verdict.reason,
        decision.verdict.fault,
        decision.verdict.rule,
        report.reply,
        attempt=message.attempts,
        kind=EventKind.REPORT,
        next_attempt_at=decision.next_attempt_at,
        report_id=report.report_id,
    )


def _move_of_late(message: Message, decision: Decision, pause: Pause, now: datetime) -> Move:
    assert decision.status is not None
    return Move(
        message.message_id,
        message.status,
        decision.status,
        now,
        pause.reason,
        pause.fault,
        reply=Reply(0, text=pause.text),
        attempt=message.attempts,
        next_attempt_at=decision.next_attempt_at,
    )
