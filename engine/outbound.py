"""The journey out: claim what is due, route it, make the mails, deliver them, and write down every answer."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from uuid import uuid4

import structlog

from config.settings import Settings
from config.vocabulary import Fault, Limits, Reply, Route, Verdict, VerdictStatus
from dsn_parser.classify import classify
from dsn_parser.hints import wait_hint_seconds
from engine.clock import Clock
from engine.compose.wire import dot_stuff
from engine.deliver.attempt import Attempt, Blame, Envelope
from engine.deliver.pool import Pool
from engine.deliver.session import Dialler
from engine.keys import Keys
from engine.mailing.content import Bookshelf, identity_of
from engine.outcome.apply import AttemptOutcome, Pause, apply_attempts, pause_site
from engine.outcome.housekeeping import settle_delayed
from engine.outcome.ledger import Ledger
from engine.queue.fairness import Fairness
from engine.return_path import return_path
from engine.route.atlas import Atlas
from engine.route.guard import guard_for
from engine.route.mx import SMTP_PORT, Unroutable
from engine.route.resolver import Resolver
from engine.shape.breaker import Breaker, BreakerState, hear_answer, hear_silence
from engine.shape.limits import limits_of
from engine.shape.traffic import Traffic
from engine.store import alerts, queue, sites
from engine.store.database import Database
from engine.store.lanes import Lane, lanes
from engine.store.queue import Job, Want
from engine.store.sites import SiteState
from engine.wiring import Process, policy_of, run_process

_MOST_UNDER_WAY = 2000
_MAILS_AT_A_TIME = 200
_REST_SECONDS = 0.25
_RENDERED_IN_ONE_GO = 16
_REFUSES_US = "site_refuses_us"

log = structlog.get_logger("outbound")

Way = Route | Unroutable


class Outbound:
    """One sender: its connections, its view of the sites, and the mails it has under way."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, keys: Keys) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._ring = keys.ring
        self._policy = policy_of(settings)
        self._shelf = Bookshelf(database, identity_of(settings, keys))
        self._atlas = _make_atlas(settings, clock)
        self._pool = _make_pool(settings, clock, self._hear)
        self._traffic = Traffic(clock)
        self._fairness = Fairness()
        self._ledger = Ledger(self._write)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    # Running.

    async def run_until_idle(self) -> int:
        """Send everything that is due now and settle it; returns how many messages were taken up.

        For a clock that leaps: no conversation is kept over the leap.
        """
        count = await self._tidy()
        while started := await self.start_due():
            count += started
            while self._tasks:
                await asyncio.wait(self._tasks)
            await self._ledger.drain()
        await self._pool.close()
        return count

    async def run_forever(self, stop: asyncio.Event) -> None:
        """Send whatever becomes due until told to stop; then finish what is under way."""
        while not stop.is_set():
            try:
                started = await self.start_due()
            except Exception:  # the database is away; what is claimed has its lease
                log.exception("the queue cannot be read")
                started = 0
            if not started:
                await self._rest(stop)
        await self.close()

    async def _tidy(self) -> int:
        """Settle what time alone settles."""
        async with self._database.write() as connection:
            return await settle_delayed(connection, self._clock.now())

    async def close(self) -> None:
        """Begin nothing new, let what is under way end, write it down, and say goodbye to the receivers."""
        self._stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._ledger.close()
        await self._pool.close()

    async def _rest(self, stop: asyncio.Event) -> None:
        """Wait until there is something to do, or for a moment."""
        waiting = {asyncio.create_task(stop.wait()), *self._tasks}
        await asyncio.wait(waiting, timeout=_REST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting - self._tasks:
            task.cancel()

    # One round.

    async def start_due(self) -> int:
        """Claim what is due and allowed, and start handing it over; returns how many messages were taken up."""
        due = await self._read_due()
        ways = await self._atlas.find({lane.domain for lane in due})
        due = await self._pause_halted(due, ways)
        jobs = await self._claim(self._choose(due, ways))
        by_domain: dict[str, list[Job]] = defaultdict(list)
        for job in jobs:
            by_domain[job.domain].append(job)
        for domain, batch in by_domain.items():
            self._start(ways[domain], batch)
        return len(jobs)

    async def _read_due(self) -> list[Lane]:
        """The lanes with something due; the breakers are told and read on the way."""
        await self._tell_breakers()
        async with self._database.read() as connection:
            stored = await sites.not_closed(connection)
            due = await lanes(connection, self._clock.now())
        self._traffic.know({name: _to_breaker(state) for name, state in stored.items()})
        return due

    async def _tell_breakers(self) -> None:
        """Let every process and the operator know of the breakers that changed."""
        changed, now = self._traffic.untold, self._clock.now()
        if not changed:
            return
        async with self._database.write() as connection:
            await sites.save(connection, {name: _to_state(breaker) for name, breaker in changed.items()}, now)
            for name, breaker in changed.items():
                if breaker.is_closed:
                    await alerts.close_about(connection, _REFUSES_US, name, now)
                elif breaker.fault is Fault.SENDER:
                    await alerts.raise_alert(connection, _REFUSES_US, name, breaker.why, now)
        self._traffic.told(changed)

    async def _pause_halted(self, due: Sequence[Lane], ways: dict[str, Way]) -> list[Lane]:
        """Let what is due for a site whose breaker is open wait for its probe; return the other lanes."""
        halted: dict[str, set[str]] = defaultdict(set)
        for lane in due:
            site = _site_of(lane.domain, ways[lane.domain])
            if self._traffic.is_halted(site):
                halted[site].add(lane.domain)
        for site, domains in halted.items():
            await self._pause(site, domains)
        return [lane for lane in due if _site_of(lane.domain, ways[lane.domain]) not in halted]

    async def _pause(self, site: str, domains: set[str]) -> None:
        breaker, now = self._traffic.breaker(site), self._clock.now()
        assert breaker.next_probe_at is not None
        pause = Pause(domains, breaker.next_probe_at, breaker.reason, breaker.fault, breaker.why)
        async with self._database.write() as connection:
            await pause_site(connection, pause, now, self._policy)
            await sites.note_domains(connection, dict.fromkeys(domains, site), now)

    def _choose(self, due: Sequence[Lane], ways: dict[str, Way]) -> list[Want]:
        site_of = {domain: _site_of(domain, way) for domain, way in ways.items()}
        room = {site_of[domain]: self._room(site_of[domain], way) for domain, way in ways.items()}
        under_way = self._traffic.total
        return self._fairness.choose(due, room, _MOST_UNDER_WAY - under_way, site_of=site_of)

    def _room(self, site: str, way: Way) -> int:
        """How many mails may be taken up: without a way, all where that is final and one to find out where not."""
        if isinstance(way, Route):
            return self._traffic.room(site, limits_of(site))
        if way.verdict.status is not VerdictStatus.DEFERRED:
            return _MAILS_AT_A_TIME
        return min(1, self._traffic.room(site, Limits()))

    async def _claim(self, wants: Sequence[Want]) -> list[Job]:
        if not wants:
            return []
        now = self._clock.now()
        until = now + timedelta(seconds=self._settings.sending.lease_seconds)
        hold = self._settings.sending.uncertain == "hold"
        async with self._database.write() as connection:
            jobs = await queue.claim(connection, wants, uuid4().hex, now, until, hold_uncertain=hold)
        self._fairness.note(jobs)
        return jobs

    # Handing over.

    def _start(self, way: Way, jobs: Sequence[Job]) -> None:
        task = asyncio.create_task(self._hand_over(way, jobs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hand_over(self, way: Way, jobs: Sequence[Job]) -> None:
        """Deliver the mails of one domain; those that were not tried are given back."""
        site = _site_of(jobs[0].domain, way)
        self._traffic.begin(site, len(jobs))
        try:
            if isinstance(way, Unroutable):
                self._give_up(site, way, jobs)
            else:
                await self._deliver(way, jobs)
        except Exception:  # their leases end by themselves
            log.exception("a batch was not handed over", site=site, mails=len(jobs))
        finally:
            self._traffic.end(site, len(jobs))

    async def _deliver(self, route: Route, jobs: Sequence[Job]) -> None:
        job_of = {job.message_id: job for job in jobs}
        envelopes = await self._make_envelopes(jobs)
        report = partial(self._note_attempt, route, job_of)
        halted = partial(self._is_halted, route.site)
        untried = await self._pool.deliver(route, envelopes, limits_of(route.site), report, halted)
        async with self._database.write() as connection:
            await queue.release(connection, [job_of[envelope.job_id] for envelope in untried], self._clock.now())

    def _is_halted(self, site: str) -> bool:
        return self._stopping or self._traffic.is_halted(site)

    async def _make_envelopes(self, jobs: Sequence[Job]) -> list[Envelope]:
        envelopes = []
        for number, job in enumerate(jobs):
            mail = (await self._shelf.open(job.mailing_id)).render(job)
            sender = return_path(self._ring, job.message_id, self._settings.sending.bounce_domain)
            envelopes.append(Envelope(job.message_id, sender, job.email, dot_stuff(mail), envelope_id=_token(sender)))
            if number % _RENDERED_IN_ONE_GO == 0:
                await asyncio.sleep(0)
        return envelopes

    def _give_up(self, site: str, way: Unroutable, jobs: Sequence[Job]) -> None:
        """There is no way to the domain: that is the answer to each of its mails."""
        if way.verdict.status is VerdictStatus.DEFERRED:
            self._traffic.turn(site, lambda old: hear_silence(old, way.verdict, str(way.reply), self._clock.now()))
        for job in jobs:
            self._settle(job, way.verdict, way.reply)

    # Answers.

    def _note_attempt(self, route: Route, job_of: dict[int, Job], attempt: Attempt) -> None:
        """One answer: what it means for the message goes to the ledger, what it says of the site to its breaker."""
        verdict = classify(attempt.reply, site=route.site)
        self._learn(route.site, verdict, attempt.reply, attempt.blame)
        job = job_of[attempt.envelope.job_id]
        self._settle(job, verdict, attempt.reply, attempt.host, attempt.tls, uncertain=attempt.uncertain)

    def _hear(self, route: Route, reply: Reply) -> None:
        """Words about our pace that no mail was spent on."""
        self._learn(route.site, classify(reply, site=route.site), reply, Blame.SESSION)

    def _learn(self, site: str, verdict: Verdict, reply: Reply, blame: Blame | None) -> None:
        now, words = self._clock.now(), str(reply)
        if blame is Blame.HOST and verdict.fault is not Fault.SENDER:
            self._traffic.turn(site, lambda old: hear_silence(old, verdict, words, now))
        else:
            self._traffic.turn(site, lambda old: hear_answer(old, verdict, words, now, wait_hint_seconds(reply)))

    def _settle(
        self, job: Job, verdict: Verdict, reply: Reply, host: str = "", tls: str = "", *, uncertain: bool = False
    ) -> None:
        hint, now = wait_hint_seconds(reply), self._clock.now()
        self._ledger.put(AttemptOutcome(job, verdict, reply, host, tls, uncertain, hint, now))

    async def _write(self, outcomes: Sequence[AttemptOutcome]) -> None:
        async with self._database.write() as connection:
            await apply_attempts(connection, outcomes, self._clock.now(), self._policy)


def _make_atlas(settings: Settings, clock: Clock) -> Atlas:
    """In the sandbox all names are asked of the box, and every exchanger listens on one port."""
    if settings.sending.mode == "internet":
        return Atlas(Resolver(clock), clock, port=SMTP_PORT)
    resolver = Resolver(clock, nameservers=("127.0.0.1",), port=settings.sandbox.dns_port)
    return Atlas(resolver, clock, port=settings.sandbox.smtp_port)


def _make_pool(settings: Settings, clock: Clock, hear: Callable[[Route, Reply], None]) -> Pool:
    sending = settings.sending
    dialler = Dialler(sending.hostname, settings.timeouts, sending.source_addresses, may_dial=guard_for(sending.mode))
    return Pool(dialler, clock, hear=hear)


def _site_of(domain: str, way: Way) -> str:
    """The site of a domain; one that cannot be routed is a site of its own."""
    return way.site if isinstance(way, Route) else domain


def _token(address: str) -> str:
    return address.partition("@")[0].partition("+")[2]


def _to_breaker(state: SiteState) -> Breaker:
    return Breaker(
        BreakerState(state.state),
        state.reason,
        state.fault,
        state.why,
        failures=state.failures,
        opened_at=state.opened_at,
        next_probe_at=state.next_probe_at,
    )


def _to_state(breaker: Breaker) -> SiteState:
    return SiteState(
        breaker.state,
        breaker.reason,
        breaker.fault,
        breaker.why,
        breaker.failures,
        breaker.opened_at,
        breaker.next_probe_at,
    )


async def _work(process: Process) -> None:
    outbound = Outbound(process.settings, process.database, process.clock, process.keys)
    await outbound.run_forever(process.stop)


if __name__ == "__main__":
    run_process("send", _work)
