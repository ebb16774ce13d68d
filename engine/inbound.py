"""The journey back: take returned mail in, read it, find whose mail it was, and write down what it means."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections import Counter
from collections.abc import Sequence
from functools import partial

import structlog

from config.settings import Receiving, Settings
from config.vocabulary import ServiceRole
from dsn_parser.worker import ParserPool
from engine.clock import Clock
from engine.forwarding import Forwarding
from engine.keys import Keys
from engine.listen.identify import find_owner
from engine.listen.limits import confine_process
from engine.listen.policy import RecipientPolicy
from engine.listen.server import Listener, read_certificate
from engine.listen.spool import Spool
from engine.listen.spooled import SpooledMail
from engine.outcome.retention import forget_old
from engine.returned import Bookkeeper, Returned
from engine.rounds import repeat
from engine.store import alerts
from engine.store.database import Database
from engine.telling import Telling
from engine.wiring import Process, run_process

_TRIES = 3
"""How often a mail may fail to be applied, alone and with a database that answers, before it is given up."""

_REST_SECONDS = 5.0
_HOUR_SECONDS = 3600.0

log = structlog.get_logger("inbound")


class Inbound:
    """One receiver: a listener with its spool, a parser, and the hand that writes down what was found."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, keys: Keys) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._news = asyncio.Event()
        self._find_owner = partial(find_owner, keys.ring, settings.sending.bounce_domain)
        self._parser = ParserPool()
        self._books = Bookkeeper(settings, database, clock)
        self._forwarding = Forwarding(settings, database, clock, keys)
        self._telling = Telling(settings, database, clock, keys)
        self._failures: Counter[str] = Counter()
        self._spool = Spool(settings.storage.spool_dir)
        self.listener = Listener(
            self._spool,
            RecipientPolicy.of(settings, keys.ring),
            settings.sending.hostname,
            tls=_certificate_or_none(settings.receiving),
            clock=clock,
            on_spooled=self._news.set,
        )

    async def start(self) -> int:
        """Open the port of the settings and return which it is."""
        return await self.listener.start(self._settings.receiving.host, self._settings.receiving.port)

    def read_certificate_again(self) -> None:
        """Use what now stands in the certificate's files; where they cannot be used, go on with the old one."""
        try:
            self.listener.use_certificate(read_certificate(self._settings.receiving))
        except OSError:
            log.exception("the certificate cannot be read, the old one stays")

    async def run_until_idle(self) -> int:
        """Work off the spool and the letters that are due; returns how many mails that were."""
        count = 0
        while done := await self.work_off() + await self._forwarding.carry_due():
            count += done
        await self._spool.finish_removing()
        return count

    async def run_forever(self, stop: asyncio.Event) -> None:
        """Work whenever something was spooled, until told to stop; a database that is away is waited for."""
        work_off = partial(self._work_off_until, stop)
        async with asyncio.TaskGroup() as group:
            group.create_task(repeat(work_off, stop, _REST_SECONDS, self._news, waits="returned mail waits"))
            group.create_task(repeat(self._forwarding.carry_due, stop, _REST_SECONDS, waits="letters wait"))
            group.create_task(repeat(self._telling.tell_due, stop, _REST_SECONDS, waits="webhooks wait"))
            group.create_task(repeat(self.keep_house, stop, _HOUR_SECONDS, waits="forgetting waits"))

    async def close(self) -> None:
        """Stop listening, then let the parser, the receivers of letters and the webhooks go."""
        await self._spool.finish_removing()
        await self.listener.stop()
        await self._parser.close()
        await self._forwarding.close()
        await self._telling.close()

    async def work_off(self) -> int:
        """Read a batch of the spool and write down what all of it says; returns how many mails have left the spool.

        A mail stays in the spool until the transaction that keeps and applies it is on the disk.
        """
        mails = await asyncio.to_thread(self._spool.batch)
        if not mails:
            return 0
        read = await self._read(mails)
        try:
            await self._books.write_down(read)
        except Exception:  # one of them cannot be applied, or the database is away: each alone tells which
            return sum([await self._write_down_alone(one) for one in read])
        self._spool.remove(mails)
        return len(mails)

    async def _work_off_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set() and await self.work_off():
            pass

    async def _read(self, mails: Sequence[SpooledMail]) -> list[Returned]:
        reports = await self._parser.read_all([mail.raw for mail in mails])
        return [
            Returned(mail, report, self._find_owner(mail.envelope.recipients, report))
            for mail, report in zip(mails, reports, strict=True)
        ]

    async def _write_down_alone(self, one: Returned) -> int:
        """Apply one mail; one that fails again and again is kept unapplied, for the operator."""
        name = one.mail.path.name
        try:
            await self._books.write_down([one])
        except Exception:  # raised again where it is the database that fails
            await self._books.check_database()
            self._failures[name] += 1
            if self._failures[name] < _TRIES:
                return 0
            log.exception("a mail cannot be applied", file=name, peer=one.mail.envelope.peer)
            await self._keep_unapplied(one)
        del self._failures[name]
        self._spool.remove([one.mail])
        return 1

    async def _keep_unapplied(self, one: Returned) -> None:
        """Keep a mail for the operator: in the database, or where even that fails as a file."""
        try:
            await self._books.keep_unapplied(one)
        except Exception:
            await self._books.check_database()
            one.mail.set_aside()

    async def keep_house(self) -> None:
        """Once in a while: tell the operator of what lies aside, and forget what is old."""
        if count := self._spool.count_aside():
            text = f"{count} files in {self._spool.aside} could not be worked with: look at them, then remove them"
            async with self._database.write() as connection:
                await alerts.raise_alert(connection, "spool", str(self._spool.aside), text, self._clock.now())
        await forget_old(self._database, self._settings.retention, self._clock.now())


def _certificate_or_none(receiving: Receiving) -> ssl.SSLContext | None:
    """The certificate to begin with; one that cannot be used must not keep returned mail away."""
    try:
        return read_certificate(receiving)
    except OSError:
        log.exception("the certificate cannot be read, no TLS is offered until it can (SIGHUP)")
        return None


async def _work(process: Process) -> None:
    confine_process()
    inbound = Inbound(process.settings, process.database, process.clock, process.keys)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, inbound.read_certificate_again)
    port = await inbound.start()
    log.info("listening", host=process.settings.receiving.host, port=port, node=process.node.name)
    await inbound.run_forever(process.stop)
    await inbound.close()


if __name__ == "__main__":
    run_process(ServiceRole.RECEIVE, _work)
