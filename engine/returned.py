"""A returned mail on its way through the house: read, judged, kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from dsn_parser.report import Finding, Report
from engine.listen.identify import Judgement, Owner, judge
from engine.listen.spool import SpooledMail
from engine.outcome.apply import ReportOutcome
from engine.store.message_rows import Message
from engine.store.reports import NewReport, ReportState


@dataclass(frozen=True, slots=True)
class Returned:
    """A mail, what stands in it, and the token that was found."""

    mail: SpooledMail
    report: Report
    owner: Owner | None

    def judge(self, known: Mapping[int, Message]) -> Judgement:
        """What it may change; `known` are the messages that there are."""
        message = known.get(self.owner.message_id) if self.owner else None
        return judge(self.report, self.owner, message, self.mail.received_at)


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
    def is_letter(self) -> bool:
        return self.judgement.state is ReportState.FORWARDING


def new_report(one: Returned, judgement: Judgement, now: datetime) -> NewReport:
    """The row in which a mail is kept."""
    mail, report = one.mail, one.report
    return NewReport(
        mail.received_at,
        mail.envelope_from,
        mail.recipients,
        mail.peer,
        mail.raw,
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
