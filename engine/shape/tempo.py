"""The pace of every site in one sender process: what it may be given now, and what its answers make of that."""

from __future__ import annotations

from dataclasses import replace

from config.vocabulary import Limits, Verdict, VerdictStatus
from engine.clock import Clock
from engine.shape.breaker import SLOW_DOWN_REASONS
from engine.shape.limits import limits_of
from engine.shape.throttle import FULL_PACE, Bucket, Pace, fill, narrow, slow_down, take_note


class Tempo:
    """Paces and buckets by site; sites at full pace without a rate take no room here."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._paces: dict[str, Pace] = {}
        self._buckets: dict[str, Bucket] = {}

    def pace(self, site: str) -> Pace:
        return self._paces.get(site, FULL_PACE).at(self._clock.now())

    def is_full(self, site: str) -> bool:
        """True where no answer has slowed a site down."""
        return site not in self._paces

    def limits(self, site: str) -> Limits:
        """The limits that hold for a site now."""
        return narrow(limits_of(site), self.pace(site))

    def allowance(self, site: str, wanted: int) -> int:
        """How many of the wanted mails the site's rate allows right now."""
        bucket = self._filled(site)
        return wanted if bucket is None else min(wanted, int(bucket.mails))

    def spend(self, site: str, mails: int) -> None:
        """Take mails that are on their way to the site off its rate; a negative number gives some back."""
        bucket = self._filled(site)
        if bucket is None:
            self._buckets.pop(site, None)
        else:
            self._buckets[site] = replace(bucket, mails=bucket.mails - mails)

    def hear(self, site: str, verdict: Verdict, words: str) -> None:
        """Let an answer change the pace."""
        if verdict.reason in SLOW_DOWN_REASONS:
            self._paces[site] = slow_down(self.pace(site), words, self._clock.now())
        elif verdict.status is VerdictStatus.DELIVERED and site in self._paces:
            self._paces[site] = take_note(self.pace(site))
            if self._paces[site] is FULL_PACE:
                del self._paces[site]

    def _filled(self, site: str) -> Bucket | None:
        return fill(self._buckets.get(site), self.limits(site), self._clock.now())
