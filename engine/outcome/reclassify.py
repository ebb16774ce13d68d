"""Judge stored history again by today's rules: what would change, change it, and take the last change back.

Only refusals and reports are judged, by the words that were kept. What follows for messages, addresses and cards goes
through the same doors as when it was first heard; what has moved on since is left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from config.vocabulary import EventKind, MessageStatus, Reason, Verdict
from engine.outcome.decide import Decision, Policy, Scope, decide_correction, reach_of
from engine.store import corrections, message_rows, messages, mistakes
from engine.store.card_status import Turn, turn
from engine.store.columns import from_microseconds, to_microseconds
from engine.store.corrections import Correction, Meaning
from engine.store.database import Connection, Database
from engine.store.message_rows import Message
from engine.store.messages import Move
from engine.store.mistakes import TurnedCard
from engine.store.suppressions import Suppression, suppress

_PART = 500

JudgeAgain = Callable[[Sequence[Meaning], Mapping[int, Message]], Awaitable[Sequence[Verdict | None]]]
"""What some events mean by today's rules, each beside its message; None where that cannot be told any more."""


@dataclass(frozen=True, slots=True)
class Change:
    """One event that is understood otherwise today; `decision` is None where its message has moved on since."""

    meaning: Meaning
    message: Message
    verdict: Verdict
    decision: Decision | None


async def find_changes(database: Database, judge_again: JudgeAgain, now: datetime, policy: Policy) -> list[Change]:
    """What today's rules would change; changes nothing."""
    changes: list[Change] = []
    last = 0
    while True:
        async with database.read() as connection:
            part = await corrections.meanings(connection, last, _PART)
            known = await message_rows.get_many(connection, {one.message_id for one in part})
        if not part:
            return changes
        verdicts = await judge_again(part, known)
        changed = [(one, verdict) for one, verdict in zip(part, verdicts, strict=True) if _differs(one, verdict)]
        async with database.read() as connection:
            deciding = await corrections.deciding(connection, {one.message_id for one, _ in changed})
        for one, verdict in changed:
            assert verdict is not None
            message = known[one.message_id]
            decides = deciding.get(one.message_id) == one.event_id and _still_stands(one, message)
            decision = decide_correction(message, one.old, verdict, now, policy) if decides else None
            changes.append(Change(one, message, verdict, decision))
        last = part[-1].event_id


async def apply_changes(database: Database, changes: Sequence[Change], now: datetime, policy: Policy) -> int:
    """Make changes, in one transaction that can be taken back; returns how many messages were put right."""
    if not changes:
        return 0
    async with database.write() as connection:
        still = await _still_as_found(connection, changes)
        effective = [change for change in changes if change.decision and change.message.message_id in still]
        moved = await messages.correct(connection, [_move(change, now) for change in effective])
        done = [change for change in effective if change.message.message_id in moved]
        effects = await _correct_addresses(connection, done, now, policy.scope)
        await corrections.add(connection, [_correction(change, moved, effects, now) for change in changes])
        return len(done)


async def undo_last(database: Database, now: datetime) -> tuple[int, int]:
    """Take the last run back; returns how many messages were put back, and how many have moved on since and stay."""
    async with database.write() as connection:
        run, made = await corrections.last_run(connection)
        messages_made = [one for one in made if "status" in one.changes]
        known = await message_rows.get_many(connection, {one.message_id for one in messages_made}, for_update=True)
        moves = [_move_back(one, now) for one in messages_made if _is_as_left(one, known.get(one.message_id))]
        await messages.correct(connection, moves)
        for one in (each for each in made if "lifted" in each.changes):
            await mistakes.put_back(
                connection,
                lifted=one.changes["lifted"],
                made=one.changes["made"],
                cards=[TurnedCard(*card) for card in one.changes["cards"]],
                at=one.at,
                now=now,
            )
        await corrections.mark_undone(connection, run, now)
        return len(moves), len(messages_made) - len(moves)


def _differs(one: Meaning, verdict: Verdict | None) -> bool:
    return verdict is not None and (verdict.reason, verdict.fault) != (one.reason, one.fault)


def _still_stands(one: Meaning, message: Message) -> bool:
    """True where nothing has moved the message since; days that ran out make a bounce of what was temporary."""
    expired = message.status is MessageStatus.BOUNCED and one.new is not MessageStatus.SENT
    return message.lease is None and (message.status is one.new or expired)


async def _still_as_found(connection: Connection, changes: Sequence[Change]) -> set[int]:
    """Lock the messages, and return those that stand as they were found."""
    found = {change.message.message_id: change.message for change in changes if change.decision}
    now = await message_rows.get_many(connection, found, for_update=True)
    return {message_id for message_id, message in now.items() if message == found[message_id]}


def _move(change: Change, now: datetime) -> Move:
    message, decision = change.message, change.decision
    assert decision is not None and decision.status is not None
    return Move(
        message.message_id,
        message.status,
        decision.status,
        now,
        change.verdict.reason,
        change.verdict.fault,
        change.verdict.rule,
        change.meaning.reply,
        attempt=message.attempts,
        kind=EventKind.MOVE if decision.status is not message.status else EventKind.NOTE,
        next_attempt_at=decision.next_attempt_at,
    )


@dataclass(slots=True)
class _Effects:
    """What was done to the suppressions and cards of one address."""

    lifted: list[int] = field(default_factory=list)
    made: list[int] = field(default_factory=list)
    cards: list[list[Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {"lifted": self.lifted, "made": self.made, "cards": self.cards}


async def _correct_addresses(
    connection: Connection, done: Sequence[Change], now: datetime, scope: Scope
) -> dict[str, _Effects]:
    """Suppress what must be, free what was struck by mistake; returns what was done, by address.

    Mail that waits for an address suppressed now is stopped at its next claim.
    """
    reasons: dict[str, set[Reason]] = defaultdict(set)
    for change in done:
        reasons[change.message.address_key].add(change.meaning.reason)
    before = await mistakes.cards_of(connection, reasons)
    struck = [change for change in done if change.decision and change.decision.suppress]
    await suppress(connection, [_suppression(change, scope) for change in struck], now)
    await turn(connection, [one for change in struck if (one := _turn_of(change))], now)
    effects: dict[str, _Effects] = defaultdict(_Effects)
    for number, key in await mistakes.lift_unfounded(connection, reasons, now):
        effects[key].lifted.append(number)
    for number, key in await mistakes.suppressed_at(connection, reasons, now):
        effects[key].made.append(number)
    await mistakes.free_cards(connection, [key for key, effect in effects.items() if effect.lifted], now)
    for card_id, (key, status, version) in (await mistakes.cards_of(connection, reasons)).items():
        if before[card_id] != (key, status, version):
            effects[key].cards.append([card_id, key, before[card_id][1], status, version])
    return effects


def _suppression(change: Change, scope: Scope) -> Suppression:
    assert change.decision is not None and change.decision.suppress is not None
    message = change.message
    return Suppression(
        message.address_key,
        reach_of(change.verdict, message.association_id, scope),
        change.decision.suppress,
        change.verdict.reason,
        str(change.meaning.reply),
        message.message_id,
    )


def _turn_of(change: Change) -> Turn | None:
    if change.decision is None or change.decision.card is None:
        return None
    return Turn(change.message.card_id, change.message.address_key, change.decision.card)


def _correction(change: Change, moved: Collection[int], effects: dict[str, _Effects], now: datetime) -> Correction:
    """What undoing needs: how the message was and is, and once for each address what was done to it."""
    changes: dict[str, Any] = {}
    message, decision = change.message, change.decision
    if decision and message.message_id in moved:
        next_attempts = [_instant(message.next_attempt_at), _instant(decision.next_attempt_at)]
        changes = {"status": [message.status, decision.status], "next_attempt_at": next_attempts}
        changes["reason"] = [change.meaning.reason, change.verdict.reason]
        if effect := effects.pop(message.address_key, None):
            changes |= effect.to_json()
    meaning = change.meaning
    return Correction(meaning.event_id, meaning.message_id, change.verdict.reason, change.verdict.fault, changes, now)


def _is_as_left(one: Correction, message: Message | None) -> bool:
    if message is None or message.lease is not None:
        return False
    left = (one.changes["status"][1], one.changes["next_attempt_at"][1])
    return left == (message.status, _instant(message.next_attempt_at))


def _move_back(one: Correction, now: datetime) -> Move:
    old, new = map(MessageStatus, one.changes["status"])
    due = one.changes["next_attempt_at"][0]
    return Move(
        one.message_id,
        new,
        old,
        now,
        Reason(one.changes["reason"][0]),
        rule="reclassify taken back",
        kind=EventKind.MOVE if old is not new else EventKind.NOTE,
        next_attempt_at=None if due is None else from_microseconds(due),
    )


def _instant(instant: datetime | None) -> int | None:
    return None if instant is None else to_microseconds(instant)
