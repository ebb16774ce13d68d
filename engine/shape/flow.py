"""How many mails are worth claiming ahead for a site: about a second of what it has just been taking.

A mail that is claimed keeps its place against everybody else's until it is delivered. So a receiver that has shown
nothing yet gets a few, one that answers gets more and more, and one that stops answering soon holds no place of note.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_MAILS = 4
"""As many as make one connection worth its while."""
MEASURED_FOR = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True)
class Flow:
    """The mails a site was done with in the half second since an instant, and in the one before."""

    since: datetime
    done: int = 0
    done_before: int = 0

    def at(self, now: datetime) -> Flow:
        """The same once time has passed; a clock that was set back begins anew."""
        gone = now - self.since
        if timedelta(0) <= gone < MEASURED_FOR:
            return self
        return Flow(now, 0, self.done if timedelta(0) <= gone < 2 * MEASURED_FOR else 0)

    def after(self, mails: int, now: datetime) -> Flow:
        """The same once a site is done with some more mails."""
        flow = self.at(now)
        return Flow(flow.since, flow.done + mails, flow.done_before)

    def ahead(self, now: datetime) -> int:
        """How many mails may be on their way at once: twice those of the better half second, and always a few."""
        flow = self.at(now)
        return max(FIRST_MAILS, 2 * flow.done, 2 * flow.done_before)
