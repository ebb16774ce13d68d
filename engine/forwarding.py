"""Carries people's letters on to the users who sent the mailings they answer, for as long as mail is tried."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

import structlog

from config.settings import Settings
from config.vocabulary import Limits, Reply, Route, Verdict, VerdictStatus
from dsn_parser.classify import classify
from dsn_parser.hints import wait_hint_seconds
from engine.clock import Clock
from engine.compose.signed import sign_mail
from engine.compose.wire import dot_stuff
from engine.deliver.attempt import Attempt, Envelope
from engine.gateway import make_atlas, make_pool
from engine.keys import Keys
from engine.listen.forward import Forwarder, Letter, Obstacle, forward
from engine.mailing.content import identity_of
from engine.queue.retry_schedule import next_attempt
from engine.store import alerts, letters
from engine.store.database import Database
from engine.store.letters import WaitingLetter
from engine.store.reports import ReportState

_BATCH = 20
_LIMITS = Limits(connections=1)
_EMPTY_REVERSE_PATH = ""
_FINAL = frozenset({VerdictStatus.BOUNCED, VerdictStatus.INVALID, VerdictStatus.BLOCKED})

log = structlog.get_logger("forwarding")


class Forwarding:
    """The letters of one receiver; each attempt is booked before anyone is dialled."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, keys: Keys) -> None:
        sending = settings.sending
        self._database = database
        self._clock = clock
        self._lease = timedelta(seconds=sending.lease_seconds)
        self._window = timedelta(days=sending.tries_for_days)
        self._forwarder = Forwarder(sending.sender_address, sending.hostname, sending.bounce_domain)
        self._signers = identity_of(settings, keys).signers
        self._atlas = make_atlas(settings, clock)
        self._pool = make_pool(settings, clock, _ignore)

    async def carry_due(self) -> int:
        """Try every letter that is due, once; returns how many."""
        now = self._clock.now()
        async with self._database.write() as connection:
            due = await letters.claim(connection, _BATCH, now, now + self._lease)
        by_domain: dict[str, list[WaitingLetter]] = defaultdict(list)
        for letter in due:
            by_domain[_domain_of(letter)].append(letter)
        ended = await asyncio.gather(*map(self._carry_in_turn, by_domain.values()), return_exceptions=True)
        for trouble in filter(None, ended):
            raise trouble
        return len(due)

    async def close(self) -> None:
        """Say goodbye to every receiver."""
        await self._pool.close()

    async def _carry_in_turn(self, some: Sequence[WaitingLetter]) -> None:
        """Carry the letters for one domain; a receiver that is slow holds up no other's."""
        for letter in some:
            await self._carry(letter)

    async def _carry(self, letter: WaitingLetter) -> None:
        mail = self._make(letter)
        if isinstance(mail, Obstacle):
            await self._finish(letter, ReportState.APPLIED, f"not forwarded: {mail}")
            return
        verdict, reply = await self._deliver(letter, mail)
        await self._settle(letter, verdict, reply)

    def _make(self, letter: WaitingLetter) -> bytes | Obstacle:
        if not letter.user_email:
            return Obstacle.NO_ADDRESS
        received = Letter(letter.raw, letter.envelope_from, letter.peer, letter.received_at)
        try:
            mail = forward(received, letter.user_email, letter.association, self._forwarder)
            return mail if isinstance(mail, Obstacle) else sign_mail(mail, self._signers, letter.received_at)
        except Exception:  # whatever a stranger wrote, the letters behind it go on
            log.exception("a letter cannot be made into a mail", report=letter.report_id)
            return Obstacle.UNREADABLE

    async def _deliver(self, letter: WaitingLetter, mail: bytes) -> tuple[Verdict, Reply]:
        """Hand one letter over; returns what was answered and what it means."""
        domain = _domain_of(letter)
        way = (await self._atlas.find([domain]))[domain]
        if not isinstance(way, Route):
            return way.verdict, way.reply
        envelope = Envelope(letter.report_id, _EMPTY_REVERSE_PATH, letter.user_email, dot_stuff(mail), notify="NEVER")
        attempts: list[Attempt] = []
        await self._pool.deliver(way, [envelope], _LIMITS, attempts.append)
        return _meaning_of(attempts, way.site)

    async def _settle(self, letter: WaitingLetter, verdict: Verdict, reply: Reply) -> None:
        now = self._clock.now()
        if verdict.status is VerdictStatus.DELIVERED:
            await self._finish(letter, ReportState.FORWARDED, str(reply))
            return
        due = next_attempt(
            letter.first_attempt_at,
            letter.attempts,
            now,
            letter.report_id,
            wait_hint_seconds=wait_hint_seconds(reply),
            window=self._window,
        )
        if due is None or verdict.status in _FINAL:
            await self._give_up(letter, reply)
            return
        async with self._database.write() as connection:
            await letters.put_off(connection, letter, due)

    async def _give_up(self, letter: WaitingLetter, reply: Reply) -> None:
        text = f"A member's letter to {letter.user_email} could not be handed over: {reply}"
        async with self._database.write() as connection:
            if await letters.finish(connection, letter, ReportState.UNDELIVERED, str(reply)):
                await alerts.raise_alert(connection, "letter", f"report {letter.report_id}", text, self._clock.now())

    async def _finish(self, letter: WaitingLetter, state: ReportState, words: str) -> None:
        log.info("a letter is over", report=letter.report_id, state=state, words=words)
        async with self._database.write() as connection:
            await letters.finish(connection, letter, state, words)


def _domain_of(letter: WaitingLetter) -> str:
    return letter.user_email.rpartition("@")[2]


def _meaning_of(attempts: Sequence[Attempt], site: str) -> tuple[Verdict, Reply]:
    """What came of the attempt; without one the site's connections were all in use."""
    reply = attempts[-1].reply if attempts else Reply(0, text="every connection to the receiver is in use")
    stage = attempts[-1].stage if attempts else ""
    return classify(reply, site=site, stage=stage), reply


def _ignore(route: Route, reply: Reply) -> None:
    """What is said of our pace is heard by the senders; letters are few."""
    log.info("a receiver of letters is busy", site=route.site, reply=str(reply))
