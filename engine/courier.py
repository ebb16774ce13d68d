"""Carries mails to one domain: makes them, hands them over, and judges every answer for its message and its site."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from config.settings import Settings
from config.vocabulary import Fault, Reply, Route, Verdict, VerdictStatus
from dsn_parser.classify import classify
from dsn_parser.hints import wait_hint_seconds
from engine.clock import Clock
from engine.compose.message import Prepared
from engine.deliver.attempt import Attempt, Blame, Envelope
from engine.gateway import make_pool
from engine.mailing.content import Bookshelf
from engine.outcome.apply import AttemptOutcome
from engine.return_path import KeyRing, Purpose, return_path_of, sign
from engine.route.atlas import Way
from engine.route.mx import Unroutable
from engine.shape.breaker import hear_answer, hear_silence
from engine.shape.content import ContentWatch
from engine.shape.traffic import Traffic
from engine.store.queue import Job

_MADE_IN_ONE_GO = 16
"""How many mails are made before other work gets its turn; a signature takes most of a millisecond."""


class Courier:
    """One sender's connections; `settle` is told how each attempt ended, as it ends."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        ring: KeyRing,
        *,
        shelf: Bookshelf,
        traffic: Traffic,
        settle: Callable[[AttemptOutcome], None],
    ) -> None:
        self._clock = clock
        self._ring = ring
        self._bounce_domain = settings.sending.bounce_domain
        self._shelf = shelf
        self._traffic = traffic
        self._settle = settle
        self._pool = make_pool(settings, clock, self._hear)
        self._is_stopping = False
        self.content = ContentWatch()
        self.stopped_mailings: frozenset[int] = frozenset()

    async def carry(self, way: Way, jobs: Sequence[Job]) -> list[Job]:
        """Deliver mails of one mailing to one domain; returns those that were never tried."""
        if isinstance(way, Unroutable):
            self._give_up(way, jobs)
            return []
        job_of = {job.message_id: job for job in jobs}
        envelopes = await self._make_envelopes(jobs)
        report = partial(self._note_attempt, way.site, job_of)
        halted = partial(self._is_halted, way.site, jobs[0].mailing_id)
        untried = await self._pool.deliver(way, envelopes, self._traffic.tempo.limits(way.site), report, halted)
        return [job_of[envelope.job_id] for envelope in untried]

    def stop(self) -> None:
        """Begin nothing new."""
        self._is_stopping = True

    async def hang_up(self) -> None:
        """Say goodbye to every receiver we are not talking with."""
        await self._pool.close()

    def _is_halted(self, site: str, mailing_id: int) -> bool:
        is_mailing_halted = mailing_id in self.stopped_mailings or self.content.is_refused(mailing_id)
        return self._is_stopping or is_mailing_halted or self._traffic.is_halted(site)

    async def _make_envelopes(self, jobs: Sequence[Job]) -> list[Envelope]:
        prepared = await self._shelf.open(jobs[0].mailing_id)
        envelopes: list[Envelope] = []
        for at in range(0, len(jobs), _MADE_IN_ONE_GO):
            envelopes += self._make_some(prepared, jobs[at : at + _MADE_IN_ONE_GO])
            await asyncio.sleep(0)
        return envelopes

    def _make_some(self, prepared: Prepared, jobs: Sequence[Job]) -> Iterator[Envelope]:
        """Mails in their envelopes; nothing is stuffed, for `compose` begins no line with a dot."""
        tokens = [sign(self._ring, Purpose.BOUNCE, job.message_id) for job in jobs]
        for job, token, wire in zip(jobs, tokens, prepared.render_all(jobs, tokens), strict=True):
            sender = return_path_of(token, self._bounce_domain)
            yield Envelope(job.message_id, sender, job.email, wire, envelope_id=token)

    def _give_up(self, way: Unroutable, jobs: Sequence[Job]) -> None:
        """There is no way to the domain: that is the answer to each of its mails."""
        if way.verdict.status is VerdictStatus.DEFERRED:
            self._learn(jobs[0].domain, way.verdict, way.reply, Blame.HOST)
        for job in jobs:
            self._settle(self._outcome(job, way.verdict, way.reply))

    def _note_attempt(self, site: str, job_of: Mapping[int, Job], attempt: Attempt) -> None:
        """What an answer means for the message goes to the ledger, what it says of the site to its breaker."""
        job, verdict = job_of[attempt.envelope.job_id], classify(attempt.reply, site=site, stage=attempt.stage)
        self._learn(site, verdict, attempt.reply, attempt.blame)
        self.content.hear(job.mailing_id, verdict, attempt.reply)
        self._settle(self._outcome(job, verdict, attempt.reply, attempt))

    def _hear(self, route: Route, reply: Reply) -> None:
        """Words about our pace that no mail was spent on."""
        self._learn(route.site, classify(reply, site=route.site), reply, Blame.SESSION)

    def _learn(self, site: str, verdict: Verdict, reply: Reply, blame: Blame | None) -> None:
        """A site nothing is held against, and that takes a mail, teaches nothing new."""
        if verdict.status is VerdictStatus.DELIVERED and self._traffic.is_calm(site):
            return
        now, words = self._clock.now(), str(reply)
        self._traffic.tempo.hear(site, verdict, words)
        if blame is Blame.HOST and verdict.fault is not Fault.SENDER:
            self._traffic.turn(site, lambda old: hear_silence(old, verdict, words, now))
        else:
            self._traffic.turn(site, lambda old: hear_answer(old, verdict, words, now, wait_hint_seconds(reply)))

    def _outcome(self, job: Job, verdict: Verdict, reply: Reply, attempt: Attempt | None = None) -> AttemptOutcome:
        hint, now = wait_hint_seconds(reply), self._clock.now()
        if attempt is None:
            return AttemptOutcome(job, verdict, reply, "", "", False, hint, now)
        return AttemptOutcome(
            job, verdict, reply, attempt.host, attempt.tls, attempt.uncertain, hint, now, attempt.stage
        )
