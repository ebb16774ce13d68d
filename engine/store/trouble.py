"""Trouble with the database, told in one plain line, less and less often while it lasts."""

from __future__ import annotations

import structlog

from engine.store.database import TROUBLE, is_storage_full

SHORTEST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 4.0
"""Short enough that work goes on within 10 s of the database's return."""

log = structlog.get_logger("database")


class Trouble:
    """The failures in a row of something that is tried until it succeeds; `what` says what waits meanwhile."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._failures = 0

    def note(self, error: Exception) -> float:
        """Count one more failure; returns how many seconds to wait before the next try, twice as long each time.

        The first is told, then the second, the fourth and so on; an error that no database raises, with its traceback.
        """
        pause_seconds = min(SHORTEST_PAUSE_SECONDS * 2.0**self._failures, LONGEST_PAUSE_SECONDS)
        self._failures += 1
        if self._failures.bit_count() == 1:
            log.error(
                self._what,
                why=str(error).partition("\n")[0] or type(error).__name__,
                do=_cure(error),
                failures=self._failures,
                exc_info=None if isinstance(error, TROUBLE) else error,
            )
        return pause_seconds

    def end(self) -> None:
        """It has succeeded."""
        if self._failures:
            log.info("the database is back", after_failures=self._failures)
            self._failures = 0


def _cure(error: Exception) -> str:
    if is_storage_full(error):
        return "make room on the disk; nothing is lost, work goes on by itself"
    return "see that the database runs and lets us in (brevduva doctor); nothing is lost, work goes on by itself"
