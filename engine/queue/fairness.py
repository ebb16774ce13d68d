"""Whose messages go first: associations share the senders evenly, and so do the mailings of one association.

Fair queueing by what each has had: who has had least goes next, a few messages at a time. Who comes new, or comes
back, begins level with the one who has had least, so that nobody is owed or owes for old days.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from engine.store.lanes import Lane
from engine.store.queue import Job, Want

QUANTUM = 10
"""Messages of one lane that are taken in one go."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How many messages each association and each mailing has had, of those that have something due."""

    associations: Mapping[int, int] = field(default_factory=dict)
    mailings: Mapping[int, int] = field(default_factory=dict)

    def among(self, lanes: Sequence[Lane]) -> Shares:
        """The same with exactly those that have lanes now; newcomers stand level with the least."""
        return Shares(
            _level(self.associations, {lane.association_id for lane in lanes}),
            _level(self.mailings, {lane.mailing_id for lane in lanes}),
        )

    def after(self, jobs: Sequence[Job]) -> Shares:
        """The same once some jobs were taken."""
        return Shares(
            _add(self.associations, Counter(job.association_id for job in jobs)),
            _add(self.mailings, Counter(job.mailing_id for job in jobs)),
        )


class Fairness:
    """The shares of one sender process, kept from round to round."""

    def __init__(self) -> None:
        self._shares = Shares()

    def choose(
        self, lanes: Sequence[Lane], room: Mapping[str, int], total: int, *, site_of: Mapping[str, str] | None = None
    ) -> list[Want]:
        """See the function `choose`."""
        self._shares = self._shares.among(lanes)
        return choose(lanes, room, total, self._shares, site_of=site_of)

    def note(self, jobs: Sequence[Job]) -> None:
        """Count what was really claimed."""
        self._shares = self._shares.after(jobs)


def choose(
    lanes: Sequence[Lane],
    room: Mapping[str, int],
    total: int,
    shares: Shares,
    *,
    site_of: Mapping[str, str] | None = None,
) -> list[Want]:
    """How many messages to claim of which lanes, at most `total`.

    `room` says how many more each site can take now; `site_of` names the site of a domain where it is not the domain
    itself. Domains of one site share its room; a site that has none named gets one quantum.
    """
    return _Round(lanes, room, shares, site_of or {}).run(total)


class _Round:
    """One round of choosing; what is chosen counts at once."""

    def __init__(
        self, lanes: Sequence[Lane], room: Mapping[str, int], shares: Shares, site_of: Mapping[str, str]
    ) -> None:
        self._room = dict(room)
        self._site_of = site_of
        self._lanes = _lanes_by_mailing(lanes, shares)
        self._mailings: dict[int, list[tuple[int, int]]] = {}
        for association_id, mailing_id in {(lane.association_id, lane.mailing_id) for lane in lanes}:
            heap = self._mailings.setdefault(association_id, [])
            heappush(heap, (shares.mailings.get(mailing_id, 0), mailing_id))
        self._associations: list[tuple[int, int]] = []
        for association_id in self._mailings:
            heappush(self._associations, (shares.associations.get(association_id, 0), association_id))
        self._wants: Counter[tuple[str, int]] = Counter()

    def run(self, total: int) -> list[Want]:
        while total > 0 and self._associations:
            had, association_id = heappop(self._associations)
            taken = self._take_of_association(association_id, total)
            total -= taken
            if taken:
                heappush(self._associations, (had + taken, association_id))
        return [
            Want(domain, mailing_id, limit, self._site_of.get(domain))
            for (domain, mailing_id), limit in self._wants.items()
        ]

    def _take_of_association(self, association_id: int, most: int) -> int:
        """Take a few messages of the mailing that has had least; 0 where no lane of the association has room."""
        mailings = self._mailings[association_id]
        while mailings:
            had, mailing_id = heappop(mailings)
            taken = self._take_of_mailing(mailing_id, most)
            if taken:
                heappush(mailings, (had + taken, mailing_id))
                return taken
        return 0

    def _take_of_mailing(self, mailing_id: int, most: int) -> int:
        """Take a few messages of the next lane with room; a lane without room is out of this round."""
        lanes = self._lanes[mailing_id]
        while lanes:
            lane = lanes.popleft()
            site = self._site_of.get(lane.domain, lane.domain)
            taken = min(QUANTUM, most, self._room.setdefault(site, QUANTUM))
            if taken > 0:
                self._room[site] -= taken
                self._wants[lane.domain, mailing_id] += taken
                lanes.append(lane)
                return taken
        return 0


def _lanes_by_mailing(lanes: Sequence[Lane], shares: Shares) -> dict[int, deque[Lane]]:
    """The lanes of each mailing in turn: each round begins with another one."""
    by_mailing: dict[int, deque[Lane]] = {}
    for lane in lanes:
        by_mailing.setdefault(lane.mailing_id, deque()).append(lane)
    for mailing_id, queue in by_mailing.items():
        queue.rotate(-(shares.mailings.get(mailing_id, 0) // QUANTUM))
    return by_mailing


def _add(had: Mapping[int, int], more: Mapping[int, int]) -> dict[int, int]:
    return {one: had.get(one, 0) + more.get(one, 0) for one in had.keys() | more.keys()}


def _level(had: Mapping[int, int], present: Iterable[int]) -> dict[int, int]:
    """What those present have had, counted from the least of them: only differences matter."""
    known = {one: had[one] for one in present if one in had}
    least = min(known.values(), default=0)
    return {one: known.get(one, least) - least for one in present}
