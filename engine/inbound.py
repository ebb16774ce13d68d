"""The journey back: take returned mail in, read it, find whose mail it was, and write down what it means."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog

from config.settings import Settings
from config.vocabulary import ServiceRole
from dsn_parser.worker import ParserPool
from engine.clock import Clock
from engine.forwarding import Forwarding
from engine.keys import Keys
from engine.listen.identify import Judgement, find_owner
from engine.listen.limits import confine_process
from engine.listen.policy import RecipientPolicy
from engine.listen.server import Listener, read_certificate
from engine.listen.spool import Spool, SpooledMail, remove_all
from engine.outcome.apply import apply_reports, unsubscribe
from engine.outcome.retention import forget_old
from engine.returned import Kept, Returned, new_report
from engine.store import letters, message_rows, reports
from engine.store.database import Connection, Database
from engine.store.reports import ReportState
from engine.wiring import Process, policy_of, run_process

_TRIES = 3
"""So often a mail may fail to be applied, alone and with a database that answers, before it is set aside."""

_REST_SECONDS = 5.0
_LETTERS_EVERY_SECONDS = 5.0
_FORGET_EVERY_SECONDS = 3600.0

log = structlog.get_logger("inbound")


class Inbound:
    """One receiver: a listener with its spool, a parser, and the hand that writes down what was found."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, keys: Keys) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._ring = keys.ring
        self._policy = policy_of(settings)
        self._domain = settings.sending.bounce_domain
        self._news = asyncio.Event()
        self._parser = ParserPool()
        self._forwarding = Forwarding(settings, database, clock, keys)
        self._failures: Counter[str] = Counter()
        self._done: set[str] = set()
        self._removing: set[asyncio.Task[None]] = set()
        self.listener = Listener(
            Spool(settings.storage.spool_dir),
            RecipientPolicy.of(settings, keys.ring),
            settings.sending.hostname,
            tls=read_certificate(settings.receiving),
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
        await self._finish_removing()
        return count

    async def run_forever(self, stop: asyncio.Event) -> None:
        """Work whenever something was spooled, until told to stop; a database that is away is waited for."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_repeat(partial(self._work_off_until, stop), stop, self._news, _REST_SECONDS))
            group.create_task(_repeat(self._forwarding.carry_due, stop, asyncio.Event(), _LETTERS_EVERY_SECONDS))
            group.create_task(_repeat(self._forget, stop, asyncio.Event(), _FORGET_EVERY_SECONDS))

    async def close(self) -> None:
        """Stop listening, then let the parser and the receivers of letters go."""
        await self.listener.stop()
        await self._finish_removing()
        await self._parser.close()
        await self._forwarding.close()

    async def work_off(self) -> int:
        """Read a batch of the spool and write down what all of it says; returns how many mails have left the spool.

        A mail stays in the spool until the transaction that keeps and applies it is on the disk.
        """
        mails = await asyncio.to_thread(self.listener.spool.batch, skip=self._done.copy())
        if not mails:
            return 0
        read = await self._read(mails)
        try:
            await self._write_down(read)
        except Exception:  # one of them cannot be applied, or the database is away: each alone tells which
            log.exception("a batch was not applied", mails=len(read))
            return sum([await self._write_down_alone(one) for one in read])
        self._remove(mails)
        return len(mails)

    async def _work_off_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set() and await self.work_off():
            pass

    async def _read(self, mails: Sequence[SpooledMail]) -> list[Returned]:
        read = await self._parser.read_all([mail.raw for mail in mails])
        return [
            Returned(mail, report, find_owner(self._ring, self._domain, mail.recipients, report))
            for mail, report in zip(mails, read, strict=True)
        ]

    async def _write_down(self, mails: Sequence[Returned]) -> None:
        """Keep mails and apply what they say, in one transaction; what was kept before is not applied again."""
        async with self._database.write() as connection:
            known = await message_rows.get_many(connection, {one.owner.message_id for one in mails if one.owner})
            judged = [(one, one.judge(known)) for one in mails]
            rows = [new_report(one, judgement, self._clock.now()) for one, judgement in judged]
            kept = await reports.add(connection, rows)
            fresh = [
                Kept(report_id, row.received_at, judgement)
                for row, (_, judgement) in zip(rows, judged, strict=True)
                if (report_id := kept.pop(row.digest, None))
            ]
            await self._apply(connection, fresh)

    async def _apply(self, connection: Connection, mails: Sequence[Kept]) -> None:
        now = self._clock.now()
        await apply_reports(connection, [outcome for mail in mails if (outcome := mail.outcome)], now, self._policy)
        for mail in mails:
            if mail.judgement.opts_out and mail.judgement.message_id:
                await unsubscribe(connection, mail.judgement.message_id, "mail", now, self._policy.scope)
        await letters.add(connection, [mail.report_id for mail in mails if mail.is_letter], now)

    async def _write_down_alone(self, one: Returned) -> int:
        """Apply one mail; one that fails again and again is kept unapplied, for the operator."""
        name = one.mail.path.name
        try:
            await self._write_down([one])
        except Exception:  # raised again where it is the database that fails
            await self._check_database()
            self._failures[name] += 1
            if self._failures[name] < _TRIES:
                return 0
            log.exception("a mail cannot be applied and is set aside", file=name, peer=one.mail.peer)
            await self._keep_unapplied(one)
        del self._failures[name]
        self._remove([one.mail])
        return 1

    def _remove(self, mails: Sequence[SpooledMail]) -> None:
        """Take mails out of the spool, while the next ones are read."""
        self._done |= {mail.path.name for mail in mails}
        task = asyncio.create_task(self._remove_files(mails))
        self._removing.add(task)
        task.add_done_callback(self._removing.discard)

    async def _remove_files(self, mails: Sequence[SpooledMail]) -> None:
        await asyncio.to_thread(remove_all, mails)
        self._done -= {mail.path.name for mail in mails}

    async def _finish_removing(self) -> None:
        if self._removing:
            await asyncio.wait(self._removing)

    async def _keep_unapplied(self, one: Returned) -> None:
        async with self._database.write() as connection:
            await reports.add(connection, [new_report(one, Judgement(ReportState.UNPARSEABLE), self._clock.now())])

    async def _check_database(self) -> None:
        """Raise where the database does not answer: then no mail is to blame."""
        async with self._database.write() as connection:
            await message_rows.get_many(connection, [0])

    async def _forget(self) -> None:
        await forget_old(self._database, self._settings.retention, self._clock.now())


async def _repeat(
    work: Callable[[], Awaitable[object]], stop: asyncio.Event, news: asyncio.Event, seconds: float
) -> None:
    """Do some work at every news and every so many seconds, until told to stop; what goes wrong is logged."""
    while not stop.is_set():
        news.clear()
        try:
            await work()
        except Exception:  # the next time may do better, but not at once
            log.exception("returned mail waits")
            await _first_of(stop, asyncio.Event(), seconds)
        else:
            await _first_of(stop, news, seconds)


async def _first_of(stop: asyncio.Event, news: asyncio.Event, seconds: float) -> None:
    """Return when one of the two is set, or after some time."""
    waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(news.wait())]
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


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
