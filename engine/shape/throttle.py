"""How fast a site is spoken to: slower at once when it asks for that, faster again bit by bit, never above its rate.

Two values without a clock of their own. `Pace` is the share of a site's limits that its answers leave us: halved by a
complaint about our speed, raised a little by every twenty mails taken, doubled by every hour without a complaint.
`Bucket` holds the mails that may be sent right now: it fills at the site's rate and runs over at ten seconds' worth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from config.vocabulary import Limits

SLOWEST = 1 / 64
STEP_UP = 1 / 16
MAILS_A_STEP = 20
FORGIVEN_AFTER = timedelta(hours=1)
SAME_COMPLAINT = timedelta(seconds=5)
RATE_OF_A_COMPLAINER = 600
"""Mails a minute taken as the rate of a site that has none, once it has complained."""
BURST_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Pace:
    """The share of its limits a site is given, the mails it took since the last change, its last complaint and when."""

    share: float = 1.0
    taken: int = 0
    slowed_at: datetime | None = None
    words: str = ""

    def at(self, now: datetime) -> Pace:
        """The same once time has passed without a complaint."""
        if self.slowed_at is None:
            return self
        hours = (now - self.slowed_at) // FORGIVEN_AFTER
        return _raised(replace(self, slowed_at=self.slowed_at + hours * FORGIVEN_AFTER), self.share * 2**hours)


FULL_PACE = Pace()


@dataclass(frozen=True, slots=True)
class Bucket:
    """Mails that may be sent to a site at an instant."""

    mails: float
    filled_at: datetime


def slow_down(pace: Pace, words: str, now: datetime) -> Pace:
    """The site said that we are too fast or too many; said on several connections at once it counts once."""
    if pace.slowed_at is not None and now - pace.slowed_at < SAME_COMPLAINT:
        return pace
    return Pace(max(pace.at(now).share / 2, SLOWEST), 0, now, words)


def take_note(pace: Pace) -> Pace:
    """The site took a mail."""
    if pace.share == 1:
        return pace
    if pace.taken + 1 < MAILS_A_STEP:
        return replace(pace, taken=pace.taken + 1)
    return _raised(replace(pace, taken=0), pace.share + STEP_UP)


def narrow(limits: Limits, pace: Pace) -> Limits:
    """The limits at a pace: fewer connections, at least one, and a lower rate; a site that has none gets one."""
    if pace.share == 1:
        return limits
    rate = limits.messages_per_minute or RATE_OF_A_COMPLAINER
    return Limits(
        connections=max(1, int(limits.connections * pace.share)),
        messages_per_connection=limits.messages_per_connection,
        messages_per_minute=max(1, int(rate * pace.share)),
    )


def fill(bucket: Bucket | None, limits: Limits, now: datetime) -> Bucket | None:
    """The bucket as it stands now; a new one is full, and None has no bottom: the site has no rate."""
    if limits.messages_per_minute is None:
        return None
    most = max(1.0, limits.messages_per_minute * BURST_SECONDS / 60)
    if bucket is None:
        return Bucket(most, now)
    gained = (now - bucket.filled_at).total_seconds() * limits.messages_per_minute / 60
    return Bucket(min(bucket.mails + max(gained, 0.0), most), now)


def _raised(pace: Pace, share: float) -> Pace:
    return FULL_PACE if share >= 1 else replace(pace, share=share)
