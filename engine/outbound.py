"""The journey out: claim what is due, route it, make the mails, deliver them, and write down every answer."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import structlog

from config.settings import Settings
from config.vocabulary import Limits, Reason, Reply, Route, ServiceRole, VerdictStatus
from dsn_parser.classify import verdict_of
from engine.clock import Clock
from engine.courier import Courier
from engine.crew import Crew
from engine.gateway import make_atlas
from engine.keys import Keys
from engine.mailing.content import Bookshelf, identity_of
from engine.mailing.sending import pause_refused
from engine.outcome.apply import AttemptOutcome, Pause, apply_attempts, pause_site
from engine.outcome.housekeeping import tidy
from engine.outcome.ledger import Ledger
from engine.queue.custody import Custody
from engine.queue.fairness import Fairness
from engine.queue.leases import Leases
from engine.return_path import hide_address
from engine.route.atlas import Way
from engine.shape.bulletin import read_breakers, tell_breakers
from engine.shape.traffic import Traffic
from engine.store import mailings, queue, sites
from engine.store.database import Connection, Database
from engine.store.erasure import erased
from engine.store.lanes import Lane, lanes
from engine.store.queue import Job, Want
from engine.store.trouble import Trouble
from engine.wiring import Process, policy_of, run_process

_MAILS_WITHOUT_A_WAY = 200
_REST_SECONDS = 0.25
_PATIENCE_SECONDS = 0.25
"""How long a round waits for DNS; a domain whose name servers are slower is taken up in a later one."""
_TIDIES_EVERY = timedelta(minutes=1)

log = structlog.get_logger("outbound")


class Outbound:
    """One sender: its courier, its view of the sites, and the mails it has under way."""

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, keys: Keys, *, name: str | None = None
    ) -> None:
        self._crew, self._name = Crew(clock, name), name or uuid4().hex[:18]
        self._sending = settings.sending
        self._database = database
        self._clock = clock
        self._policy = policy_of(settings)
        self._atlas = make_atlas(settings, clock)
        self._ring, self._erased = keys.ring, set[str]()
        self._traffic = Traffic(clock)
        self._fairness = Fairness()
        self._ledger = Ledger(self._write)
        self._leases = Leases(timedelta(seconds=settings.sending.lease_seconds))
        self._trouble = Trouble("mail waits to be claimed")
        shelf = Bookshelf(database, identity_of(settings, keys))
        self._courier = Courier(settings, clock, keys.ring, shelf=shelf, traffic=self._traffic, settle=self._ledger.put)
        self._tasks: set[asyncio.Task[None]] = set()
        self._mailings_under_way: Counter[int] = Counter()
        self._untried: list[Job] = []
        self._tidied_at: datetime | None = None

    async def run_until_idle(self) -> int:
        """Send everything that is due now and settle it; returns how many messages were taken up.

        For a clock that leaps: no conversation is kept over the leap.
        """
        count = await self._tidy()
        while started := await self.start_due(patience_seconds=None):
            count += started
            while self._tasks:
                await asyncio.wait(self._tasks)
            await self._ledger.drain()
        await self._courier.hang_up()
        return count

    async def run_forever(self, stop: asyncio.Event) -> None:
        """Send whatever becomes due until told to stop; then finish what is under way."""
        while not stop.is_set():
            try:
                await self._tidy()
                started = await self.start_due()
            except Exception as error:  # the database is away; what is claimed has its lease
                await self._rest(stop, self._trouble.note(error))
                continue
            self._trouble.end()
            if not started:
                await self._rest(stop, _REST_SECONDS)
        await self.close()

    async def close(self) -> None:
        """Begin nothing new, let what is under way end, write it down, and say goodbye to the receivers."""
        self._courier.stop()
        await self._atlas.close()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._ledger.close()
        await self._tell()
        await self._courier.hang_up()

    async def start_due(self, patience_seconds: float | None = _PATIENCE_SECONDS) -> int:
        """Claim what is due and allowed, and start carrying it; returns how many messages were taken up."""
        due = await self._read_due()
        ways = await self._atlas.find({lane.domain for lane in due}, patience_seconds)
        site_of = {domain: _site_of(domain, way) for domain, way in ways.items()}
        ours = [lane for lane in due if lane.domain in ways and self._crew.owns(site_of[lane.domain])]
        flowing = await self._pause_halted(ours, site_of)
        jobs = await self._claim(self._choose(flowing, ways, site_of))
        batches: dict[tuple[str, int], list[Job]] = defaultdict(list)
        for job in jobs:
            batches[job.domain, job.mailing_id].append(job)
        for (domain, _), batch in batches.items():
            self._start(ways[domain], batch)
        return len(jobs)

    async def _read_due(self) -> list[Lane]:
        """The lanes with something due; what others must know is told, and what they have told is read, on the way."""
        await self._tell()
        async with self._database.read() as connection:
            await self._crew.look(connection)
            self._erased = await erased(connection)
            self._traffic.know(await read_breakers(connection))
            self._courier.stopped_mailings = await mailings.stopped_of(connection, +self._mailings_under_way)
            return await lanes(connection, self._clock.now())

    async def _tell(self) -> None:
        """Let every process and the operator know of breakers that changed and of mailings that are refused.

        Mail that was not tried is given back, and what is slow is held on to; if nothing can be written, the next round
        does it.
        """
        changed, refused, now = self._traffic.untold, self._courier.content.refused, self._clock.now()
        untried, slow = list(self._untried), self._leases.due(now)
        if not changed and not refused and not untried and not slow:
            return
        async with self._database.write() as connection:
            await tell_breakers(connection, changed, now)
            for mailing_id, words in refused.items():
                await pause_refused(connection, mailing_id, words, now)
            await queue.release(connection, untried, now)
            await queue.renew(connection, slow, now + self._leases.length)
        self._leases.renewed(slow, now)
        self._traffic.told(changed)
        self._courier.content.told(refused)
        del self._untried[: len(untried)]

    async def _pause_halted(self, due: Sequence[Lane], site_of: Mapping[str, str]) -> list[Lane]:
        """Let what is due for a site whose breaker is open wait for its probe; return the other lanes."""
        halted: dict[str, set[str]] = defaultdict(set)
        for lane in due:
            if self._traffic.is_halted(site_of[lane.domain]):
                halted[site_of[lane.domain]].add(lane.domain)
        if halted:
            async with self._database.write() as connection:
                for site, domains in halted.items():
                    await self._pause(connection, site, domains)
        return [lane for lane in due if site_of[lane.domain] not in halted]

    async def _pause(self, connection: Connection, site: str, domains: set[str]) -> None:
        breaker, now = self._traffic.breaker(site), self._clock.now()
        pause = Pause(domains, breaker.next_probe_at or now, breaker.reason, breaker.fault, breaker.why)
        await pause_site(connection, pause, now, self._policy)
        await sites.note_domains(connection, dict.fromkeys(domains, site), now)

    def _choose(self, due: Sequence[Lane], ways: Mapping[str, Way], site_of: Mapping[str, str]) -> list[Want]:
        room = {site_of[domain]: self._room(site_of[domain], way) for domain, way in ways.items()}
        shared, most = self._traffic.share(room)
        return self._fairness.choose(due, shared, most, site_of=site_of)

    def _room(self, site: str, way: Way) -> int:
        """How many mails may be taken up; where there is no way: all if that is final, one to find out if not."""
        if isinstance(way, Route):
            tempo = self._traffic.tempo
            return tempo.allowance(site, self._traffic.room(site, tempo.limits(site)))
        if way.verdict.status is not VerdictStatus.DEFERRED:
            return _MAILS_WITHOUT_A_WAY
        return min(1, self._traffic.room(site, Limits()))

    async def _claim(self, wants: Sequence[Want]) -> list[Job]:
        """Book the attempts, before anyone is dialled."""
        if not wants:
            return []
        now = self._clock.now()
        until, hold = now + self._leases.length, self._sending.uncertain == "hold"
        async with self._database.write() as connection:
            lease = queue.lease_of(self._name)
            jobs = await queue.claim(connection, wants, lease, now, until, hold_uncertain=hold)
        self._fairness.note(jobs)
        return self._without_erased(jobs) if self._erased else jobs

    def _without_erased(self, jobs: Sequence[Job]) -> list[Job]:
        """Block mail to addresses that were erased: no register knows them any more, only their hash does."""
        blocked = [job for job in jobs if hide_address(self._ring, job.address_key) in self._erased]
        for job in blocked:
            verdict, reply = verdict_of(Reason.KNOWN_BAD, "erased"), Reply(0, text="The member has asked to be erased")
            self._ledger.put(AttemptOutcome(job, verdict, reply, "", "", False, None, self._clock.now()))
        return [job for job in jobs if job not in blocked]

    def _start(self, way: Way, jobs: Sequence[Job]) -> None:
        task = asyncio.create_task(self._carry(way, jobs))
        self._mailings_under_way[jobs[0].mailing_id] += 1
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, way: Way, jobs: Sequence[Job]) -> None:
        """Let the courier carry the mails of one domain; those that were not tried are given back."""
        site = _site_of(jobs[0].domain, way)
        self._traffic.begin(site, len(jobs))
        self._leases.begin(jobs)
        self._traffic.tempo.spend(site, len(jobs))
        try:
            untried = await self._courier.carry(way, jobs)
            self._traffic.tempo.spend(site, -len(untried))
            self._untried += untried
        except Exception:  # their leases end by themselves
            log.exception("a batch was not carried", site=site, mails=len(jobs))
        finally:
            self._leases.end(jobs)
            self._traffic.end(site, len(jobs), jobs[0].claimed_at)
            self._mailings_under_way[jobs[0].mailing_id] -= 1

    async def _write(self, outcomes: Sequence[AttemptOutcome]) -> None:
        async with self._database.write() as connection:
            await apply_attempts(connection, outcomes, self._clock.now(), self._policy)

    async def _tidy(self) -> int:
        """Settle what time alone settles, once in a while."""
        now = self._clock.now()
        if self._tidied_at and now - self._tidied_at < _TIDIES_EVERY:
            return 0
        self._tidied_at = now
        async with self._database.write() as connection:
            return await tidy(connection, now)

    async def _rest(self, stop: asyncio.Event, seconds: float) -> None:
        """Wait until there is something to do, or for a moment."""
        told = asyncio.create_task(stop.wait())
        await asyncio.wait({told, *self._tasks}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()


def _site_of(domain: str, way: Way) -> str:
    """The site of a domain; one that cannot be routed is a site of its own."""
    return way.site if isinstance(way, Route) else domain


async def _work(process: Process) -> None:
    custody = Custody(process.settings.storage.secrets_dir, process.database)
    await custody.wait(process.stop, process.clock.now())
    keeping = asyncio.create_task(custody.keep(process.stop))
    outbound = Outbound(process.settings, process.database, process.clock, process.keys, name=process.node.name)
    await outbound.run_forever(process.stop)
    await keeping


if __name__ == "__main__":
    run_process(ServiceRole.SEND, _work)
