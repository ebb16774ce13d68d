"""When a message is tried again: about 30 tries in the five days from the first (RFC 5321 4.5.4.1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import accumulate
from zlib import crc32

WINDOW = timedelta(days=5)

_EARLY_GAPS = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 15, 30, 60, 120))
"""Between the tries at 0, 5, 15 and 30 minutes and 1, 2 and 4 hours."""

_LATE_GAP = timedelta(hours=4, minutes=30)
_JITTER = 0.1
"""By this share at most a gap grows, so that messages that failed together do not come back together."""

_LONGEST_HINT = timedelta(hours=24)


def next_attempt(
    first_attempt_at: datetime,
    attempts: int | None,
    now: datetime,
    message_id: int,
    *,
    wait_hint_seconds: float | None = None,
    slow: bool = False,
    window: timedelta = WINDOW,
) -> datetime | None:
    """Return when to try again after `attempts` tries, or None where the window is over.

    The last try is at the very end of the window. A wait hint in the receiver's words is kept, up to a day. `slow`
    skips the early tries: for what was accepted and came back later. Where tries are not counted (`attempts` None), the
    time gone tells which is next. The same message always gets the same answer.
    """
    end = first_attempt_at + window
    if now >= end:
        return None
    if attempts is None:
        attempts = _tries_within(now - first_attempt_at)
    wait = _gap(attempts, slow) * (1 + _JITTER * _fraction(message_id, attempts))
    if wait_hint_seconds is not None:
        wait = max(wait, min(timedelta(seconds=wait_hint_seconds), _LONGEST_HINT))
    return min(now + wait, end)


def _tries_within(gone: timedelta) -> int:
    """How many tries the schedule has until so long after the first, that one too."""
    early = list(accumulate(_EARLY_GAPS))
    return 1 + sum(after <= gone for after in early) + max(gone - early[-1], timedelta()) // _LATE_GAP


def _gap(attempts: int, slow: bool) -> timedelta:
    place = max(attempts, 1) - 1
    return _LATE_GAP if slow or place >= len(_EARLY_GAPS) else _EARLY_GAPS[place]


def _fraction(message_id: int, attempts: int) -> float:
    """A number from 0 to 1 that looks random and is always the same for the same try."""
    return crc32(f"{message_id}:{attempts}".encode()) / 0xFFFFFFFF
