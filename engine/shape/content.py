"""The breaker of a mailing: when what it says is refused again and again, it is paused before it costs us our name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from config.vocabulary import Fault, Reply, Verdict, VerdictStatus

REFUSALS_BEFORE_PAUSE = 5
"""Refusals of the content in a row, from whatever site, with no mail of the mailing taken between."""


class ContentWatch:
    """Counts, mailing by mailing, the refusals of its content since a receiver last took it."""

    def __init__(self) -> None:
        self._refusals: Counter[int] = Counter()
        self._words: dict[int, str] = {}

    def hear(self, mailing_id: int, verdict: Verdict, reply: Reply) -> None:
        """Note one answer to a mail of a mailing."""
        if verdict.status is VerdictStatus.DELIVERED:
            self._refusals.pop(mailing_id, None)
        elif verdict.fault is Fault.CONTENT:
            self._refusals[mailing_id] += 1
            self._words[mailing_id] = str(reply)

    def is_refused(self, mailing_id: int) -> bool:
        return self._refusals.get(mailing_id, 0) >= REFUSALS_BEFORE_PAUSE

    @property
    def refused(self) -> dict[int, str]:
        """The mailings to pause, with the last receiver's words."""
        return {mailing_id: self._words[mailing_id] for mailing_id in self._refusals if self.is_refused(mailing_id)}

    def told(self, refused: Collection[int]) -> None:
        """These are paused now; should they be resumed, they are counted anew."""
        for mailing_id in refused:
            del self._refusals[mailing_id]
