"""The mail under way to every site, in one sender process: how much more each may be given now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from config.vocabulary import Limits
from engine.clock import Clock
from engine.shape.breaker import Breaker, BreakerState
from engine.shape.flow import Flow
from engine.shape.tempo import Tempo

MAILS_PER_CONNECTION_AHEAD = 20
"""At most so many mails are claimed ahead for each connection: enough to keep it busy, few enough for a short lease."""
MOST_UNDER_WAY = 1500
"""What quick sites may hold in one sender, and thus stand before a newcomer: below a second of what it sends."""
MOST_WITH_THE_SLOW = 1000
"""What sites may hold besides that are slow or not known yet; it waits for them and not for us."""
QUICK = timedelta(seconds=2)
"""A site that is done with a batch so soon is quick."""
_MOST_FLOWS = 10_000


class Traffic:
    """Breakers and mails under way, site by site.

    What the store knows of breakers is the truth (`know`); what happens here (`turn`) is ahead of it until it is told.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.tempo = Tempo(clock)
        self._breakers: dict[str, Breaker] = {}
        self._untold: dict[str, Breaker] = {}
        self._under_way: Counter[str] = Counter()
        self._flows: dict[str, Flow] = {}
        self._quick: set[str] = set()

    def know(self, stored: Mapping[str, Breaker]) -> None:
        """Take over what the store says of every site that is not closed; one it leaves out was closed by a person."""
        counting = {name: known for name, known in self._breakers.items() if known.is_closed and known.refusals}
        self._breakers = {**counting, **stored, **self._untold}

    def breaker(self, site: str) -> Breaker:
        return self._breakers.get(site, Breaker()).at(self._clock.now())

    def turn(self, site: str, change: Callable[[Breaker], Breaker]) -> None:
        """Let an event change a site's breaker."""
        old = self.breaker(site)
        new = change(old)
        if new == Breaker():
            self._breakers.pop(site, None)
        else:
            self._breakers[site] = new
        if not (old.is_closed and new.is_closed):
            self._untold[site] = new

    @property
    def untold(self) -> dict[str, Breaker]:
        """The breakers that changed and that the store has not been told of."""
        return dict(self._untold)

    def told(self, breakers: Mapping[str, Breaker]) -> None:
        """The store knows these now; one that has changed again meanwhile stays untold."""
        for site, breaker in breakers.items():
            if self._untold.get(site) is breaker:
                del self._untold[site]

    def is_calm(self, site: str) -> bool:
        """True for a site of which nothing is known but that it takes mail at full pace."""
        return site not in self._breakers and self.tempo.is_full(site)

    def is_halted(self, site: str) -> bool:
        """True while nothing more may be begun with a site."""
        return site in self._breakers and self.breaker(site).state is BreakerState.OPEN

    def room(self, site: str, limits: Limits) -> int:
        """How many more mails for a site may be claimed now."""
        match self.breaker(site).state:
            case BreakerState.CLOSED:
                most = min(limits.connections * MAILS_PER_CONNECTION_AHEAD, self._flow(site).ahead(self._clock.now()))
            case BreakerState.HALF_OPEN:
                most = 1
            case BreakerState.OPEN:
                most = 0
        return max(0, most - self._under_way[site])

    @property
    def total(self) -> int:
        """How many mails are under way, to all sites."""
        return self._under_way.total()

    def share(self, room: Mapping[str, int]) -> tuple[dict[str, int], int]:
        """What each site may be given of the room it has, and how much all of them together."""
        slow = sum(mails for site, mails in self._under_way.items() if site not in self._quick)
        most, left = MOST_UNDER_WAY - (self.total - slow), MOST_WITH_THE_SLOW - slow
        shared = dict(room)
        for site in room.keys() - self._quick:
            shared[site] = min(room[site], max(0, left))
            left -= shared[site]
            most += shared[site]
        return shared, most

    def begin(self, site: str, mails: int) -> None:
        self._under_way[site] += mails

    def end(self, site: str, mails: int, began_at: datetime) -> None:
        """Mails that were begun at that instant are done with, or given back."""
        now = self._clock.now()
        self._under_way[site] -= mails
        self._flows[site] = self._flow(site).after(mails, now)
        if now - began_at <= QUICK:
            self._quick.add(site)
        else:
            self._quick.discard(site)
        if len(self._flows) > _MOST_FLOWS:
            self._flows.clear()
            self._quick.clear()

    def _flow(self, site: str) -> Flow:
        return self._flows.get(site) or Flow(self._clock.now())
