"""A returned mail on its way through the house: read, judged, kept, and applied, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from config.settings import Settings
from dsn_parser.report import Finding, Report
from engine.clock import Clock
from engine.listen.identify import Judgement, Owner, judge
from engine.listen.spooled import SpooledMail
from engine.outcome.apply import ReportOutcome, apply_reports, unsubscribe
from engine.store import letters, message_rows, reports
from engine.store.database import Connection, Database
from engine.store.letters import NewLetter
from engine.store.message_rows import Message
from engine.store.reports import NewReport, ReportState
from engine.wiring import policy_of


@dataclass(frozen=True, slots=True)
class Returned:
    """A mail, what stands in it, and the token that was found."""

    mail: SpooledMail
    report: Report
    owner: Owner | None

    def judge(self, known: Mapping[int, Message]) -> Judgement:
        """What it may change; `known` are the messages that there are."""
        message = known.get(self.owner.message_id) if self.owner else None
        return judge(self.report, self.owner, message, self.mail.envelope.received_at)


@dataclass(frozen=True, slots=True)
class Kept:
    """A mail that is kept now and was not before."""

    report_id: int
    received_at: datetime
    judgement: Judgement

    @property
    def outcome(self) -> ReportOutcome | None:
        """What is to be applied to a message, where anything is."""
        message_id, finding = self.judgement.message_id, self.judgement.finding
        if message_id is None or finding is None:
            return None
        return ReportOutcome(message_id, finding.verdict, finding.reply, self.report_id, self.received_at)

    @property
    def letter(self) -> NewLetter | None:
        """The letter to be carried on, where it is one."""
        message_id = self.judgement.message_id
        if message_id is None or self.judgement.state is not ReportState.FORWARDING:
            return None
        return NewLetter(self.report_id, message_id)


class Bookkeeper:
    """Writes down what returned mails say; what was kept before is not applied again."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._policy = policy_of(settings)
        self._allowance = letters.Allowance(settings.receiving.letters_per_message, settings.receiving.letters_per_user)

    async def write_down(self, mails: Sequence[Returned]) -> None:
        """Keep mails and apply what they say, in one transaction."""
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

    async def keep_unapplied(self, one: Returned) -> None:
        """Keep a mail that cannot be applied, as one that nobody could read."""
        async with self._database.write() as connection:
            await reports.add(connection, [new_report(one, Judgement(ReportState.UNPARSEABLE), self._clock.now())])

    async def check_database(self) -> None:
        """Raise where the database does not answer: then no mail is to blame."""
        async with self._database.write() as connection:
            await message_rows.get_many(connection, [0])

    async def _apply(self, connection: Connection, mails: Sequence[Kept]) -> None:
        now = self._clock.now()
        await apply_reports(connection, [outcome for mail in mails if (outcome := mail.outcome)], now, self._policy)
        for mail in mails:
            if mail.judgement.opts_out and mail.judgement.message_id:
                await unsubscribe(connection, mail.judgement.message_id, "mail", now, self._policy.scope)
            if mail.letter:
                await letters.add(connection, mail.letter, now, self._allowance)


def new_report(one: Returned, judgement: Judgement, now: datetime) -> NewReport:
    """The row in which a mail is kept."""
    envelope, report = one.mail.envelope, one.report
    return NewReport(
        envelope.received_at,
        envelope.envelope_from,
        envelope.recipients,
        envelope.peer,
        one.mail.raw,
        judgement.state,
        report.kind,
        [*map(_finding_row, report.findings), *map(asdict, report.rows)],
        judgement.message_id,
        settled_at=now,
    )


def _finding_row(finding: Finding) -> dict[str, Any]:
    """One finding as it is kept, shown, and judged again by `reclassify`."""
    verdict = finding.verdict
    return {
        "recipient": finding.recipient,
        "action": finding.action,
        "status": verdict.status,
        "reason": verdict.reason,
        "fault": verdict.fault,
        "rule": verdict.rule,
        "reply": str(finding.reply),
        "remote_mta": finding.remote_mta,
    }
