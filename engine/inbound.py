"""The journey back: take returned mail in, read it, find whose mail it was, and write down what it means."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta
from itertools import islice
from typing import Any

import structlog

from config.settings import Settings
from config.vocabulary import ReportKind
from dsn_parser.report import Finding, Report
from dsn_parser.worker import ParserPool
from engine.clock import Clock
from engine.keys import Keys
from engine.listen.identify import Owner, find_owner, find_thread, finding_about
from engine.listen.policy import RecipientPolicy
from engine.listen.server import Listener, read_certificate
from engine.listen.spool import Spool, SpooledMail
from engine.outcome.apply import ReportOutcome, apply_report, unsubscribe
from engine.return_path import Purpose
from engine.store import message_rows, reports
from engine.store.database import Connection, Database
from engine.store.reports import NewReport, ReportState, Settled, StoredReport
from engine.wiring import Process, policy_of, run_process

_BATCH = 100
_LONGEST_REST_SECONDS = 5.0

_TOKEN_GOOD_FOR = timedelta(days=30)
"""Longer than any server tries (RFC 5321 4.5.4.1: 4 to 5 days) and any complaint takes."""

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

    async def run_until_idle(self) -> int:
        """Work off everything that lies in the spool or waits in the database; returns how many mails were read."""
        count = 0
        while True:
            taken = await self._take_in()
            read = await self._read_waiting()
            count += read
            if not taken and not read:
                return count

    async def run_forever(self, stop: asyncio.Event) -> None:
        """Work whenever something was spooled, until told to stop; a database that is away is waited for."""
        while not stop.is_set():
            self._news.clear()
            try:
                await self.run_until_idle()
            except Exception:  # what was spooled stays spooled
                log.exception("returned mail waits")
            await _first_of(stop, self._news, _LONGEST_REST_SECONDS)

    async def close(self) -> None:
        """Stop listening, then let the parser go."""
        await self.listener.stop()
        await self._parser.close()

    async def _take_in(self) -> int:
        """Move a batch from the spool to the database; a file goes when its row is on the disk."""
        batch = list(islice(self.listener.spool.pending(), _BATCH))
        if not batch:
            return 0
        async with self._database.write() as connection:
            await reports.add(connection, [_new_report(mail) for mail in batch])
        for mail in batch:
            mail.remove()
        return len(batch)

    async def _read_waiting(self) -> int:
        """Read a batch of stored mails, and write down what all of them say in one transaction."""
        async with self._database.read() as connection:
            waiting = await reports.unsettled(connection, _BATCH)
        if not waiting:
            return 0
        read = await asyncio.gather(*(self._parser.read(mail.raw) for mail in waiting))
        async with self._database.write() as connection:
            for mail, report in zip(waiting, read, strict=True):
                await reports.settle(connection, await self._apply(connection, mail, report), self._clock.now())
        return len(waiting)

    async def _apply(self, connection: Connection, mail: StoredReport, report: Report) -> Settled:
        """What one mail says, applied to the message it is about where a valid token names one."""
        owner = find_owner(self._ring, self._domain, mail.recipients, report)
        if owner and owner.purpose is Purpose.UNSUBSCRIBE:
            await unsubscribe(connection, owner.message_id, "mail", self._clock.now(), self._policy.scope)
            return _settled(mail, report, ReportState.APPLIED, owner.message_id)
        if report.kind is ReportKind.PERSON:
            return self._keep_letter(mail, report)
        if not any(finding.verdict.status.message_status for finding in report.findings):
            return _settled(mail, report, _state_of_silent(report), owner.message_id if owner else None)
        return await self._apply_findings(connection, mail, report, owner)

    async def _apply_findings(
        self, connection: Connection, mail: StoredReport, report: Report, owner: Owner | None
    ) -> Settled:
        """Only what a fresh, valid token vouches for changes anything; the rest is kept for the operator to see."""
        message = await message_rows.get(connection, owner.message_id) if owner else None
        if message is None or mail.received_at - message.created_at > _TOKEN_GOOD_FOR:
            return _settled(mail, report, ReportState.UNMATCHED, None)
        finding = finding_about(report.findings, message.email)
        if finding is None:
            return _settled(mail, report, ReportState.UNMATCHED, None)
        outcome = ReportOutcome(message.message_id, finding.verdict, finding.reply, mail.id, mail.received_at)
        await apply_report(connection, outcome, self._clock.now(), self._policy)
        return _settled(mail, report, ReportState.APPLIED, message.message_id)

    def _keep_letter(self, mail: StoredReport, report: Report) -> Settled:
        """A person's letter goes on to the user who sent the mailing, where it answers one of ours."""
        message_id = find_thread(self._ring, self._domain, report)
        return _settled(mail, report, ReportState.FORWARDING if message_id else ReportState.UNMATCHED, message_id)


def _new_report(mail: SpooledMail) -> NewReport:
    return NewReport(mail.received_at, mail.envelope_from, mail.recipients, mail.peer, mail.raw)


def _state_of_silent(report: Report) -> ReportState:
    """The state of a mail that says nothing of any message."""
    return ReportState.UNPARSEABLE if report.kind is ReportKind.UNPARSEABLE else ReportState.APPLIED


def _settled(mail: StoredReport, report: Report, state: ReportState, message_id: int | None) -> Settled:
    findings = [_finding_row(finding) for finding in report.findings] + [asdict(row) for row in report.rows]
    return Settled(mail.id, state, report.kind, findings, message_id)


def _finding_row(finding: Finding) -> dict[str, Any]:
    """One finding as it is kept and shown."""
    verdict = finding.verdict
    return {
        "recipient": finding.recipient,
        "status": verdict.status,
        "reason": verdict.reason,
        "fault": verdict.fault,
        "rule": verdict.rule,
        "reply": str(finding.reply),
    }


async def _first_of(stop: asyncio.Event, news: asyncio.Event, seconds: float) -> None:
    """Return when one of the two is set, or after some time."""
    waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(news.wait())]
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


async def _work(process: Process) -> None:
    inbound = Inbound(process.settings, process.database, process.clock, process.keys)
    port = await inbound.start()
    log.info("listening", host=process.settings.receiving.host, port=port, node=process.node.name)
    await inbound.run_forever(process.stop)
    await inbound.close()


if __name__ == "__main__":
    run_process("receive", _work)
