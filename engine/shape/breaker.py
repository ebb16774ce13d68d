"""The circuit breaker of a site: when refusals that are no member's fault stop its mail, and when one mail may probe.

A value that changes by events, without a clock of its own. Closed: mail flows. Open: nothing flows until the probe is
due. Half open: one mail at a time is let through; the answer closes it or opens it for longer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from config.vocabulary import Fault, Reason, Verdict, VerdictStatus


class BreakerState(StrEnum):
    """Whether mail flows to a site."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


REFUSALS_BEFORE_OPENING = 3
"""One refusal of us may be one domain's own policy; so many in a row, with no mail taken between, are the site's."""

_UNREACHABLE_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 15, 30, 60, 120, 270))
_REFUSED_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 240))
_SLOW_DOWN_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 40, 60))

SLOW_DOWN_REASONS = frozenset({Reason.THROTTLED, Reason.RATE_LIMITED, Reason.TOO_MANY_CONNECTIONS})


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of a site: `refusals` in a row while closed, `failures` of probes in a row while open."""

    state: BreakerState = BreakerState.CLOSED
    reason: Reason = Reason.ACCEPTED
    fault: Fault = Fault.NONE
    why: str = ""
    refusals: int = 0
    failures: int = 0
    opened_at: datetime | None = None
    next_probe_at: datetime | None = None

    def at(self, now: datetime) -> Breaker:
        """The same once time has passed: open becomes half open when the probe is due."""
        is_due = self.state is BreakerState.OPEN and self.next_probe_at is not None and self.next_probe_at <= now
        return replace(self, state=BreakerState.HALF_OPEN) if is_due else self

    @property
    def is_closed(self) -> bool:
        return self.state is BreakerState.CLOSED


def hear_answer(
    breaker: Breaker, verdict: Verdict, words: str, now: datetime, wait_hint_seconds: float | None = None
) -> Breaker:
    """What an answer to one mail makes of the breaker.

    A site that says to slow down is left alone at once; one that refuses us, when it has done so three times in a row.
    An answer about the recipient or the mail shows that the site talks to us, but not that it likes us: it ends an
    outage, and leaves a count of refusals as it is.
    """
    if verdict.status is VerdictStatus.DELIVERED:
        return Breaker()
    hint = timedelta(seconds=wait_hint_seconds or 0)
    if verdict.reason in SLOW_DOWN_REASONS:
        return _open(breaker, verdict, words, now + max(hint, _pause(_SLOW_DOWN_PAUSES, breaker)), now=now)
    if verdict.fault is Fault.SENDER:
        counted = replace(breaker, refusals=breaker.refusals + 1)
        if breaker.is_closed and counted.refusals < REFUSALS_BEFORE_OPENING:
            return counted
        return _open(counted, verdict, words, now + max(hint, _pause(_REFUSED_PAUSES, breaker)), now=now)
    return breaker if breaker.is_closed or breaker.fault is Fault.SENDER else Breaker(refusals=breaker.refusals)


def hear_silence(breaker: Breaker, verdict: Verdict, words: str, now: datetime) -> Breaker:
    """No host of the site could be talked to: one mail was spent on finding out, the rest wait."""
    return _open(breaker, verdict, words, now + _pause(_UNREACHABLE_PAUSES, breaker), now=now)


def _pause(pauses: tuple[timedelta, ...], breaker: Breaker) -> timedelta:
    """Longer after each probe that failed."""
    return pauses[min(breaker.failures, len(pauses) - 1)]


def _open(breaker: Breaker, verdict: Verdict, words: str, until: datetime, *, now: datetime) -> Breaker:
    """Open; the answers to several mails already under way count once."""
    if breaker.state is BreakerState.OPEN:
        return breaker
    return Breaker(
        state=BreakerState.OPEN,
        reason=verdict.reason,
        fault=verdict.fault,
        why=words,
        refusals=breaker.refusals,
        failures=breaker.failures + 1,
        opened_at=breaker.opened_at or now,
        next_probe_at=until,
    )
