"""`brevduva reclassify`: judge stored history again by today's rules, and take the last time back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from config.vocabulary import Action, EventKind, Fault, Reason, Verdict
from dsn_parser.classify import classify, meaning_of, verdict_of
from dsn_parser.report import Report
from dsn_parser.worker import ParserPool
from engine.errors import InvalidInput
from engine.listen.identify import finding_about
from engine.outcome.reclassify import Change, apply_changes, find_changes, undo_last
from engine.route.site import find_site
from engine.shell.app import Json, Shell, app, run
from engine.shell.output import Row, say, show
from engine.store.corrections import Meaning, raw_reports
from engine.store.database import Database
from engine.store.message_rows import Message
from engine.wiring import policy_of

_MAILS_AT_ONCE = 20

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would change.")]
Undo = Annotated[bool, typer.Option("--undo", help="Take the last run back.")]


@app.command()
def reclassify(dry_run: DryRun = False, undo: Undo = False, as_json: Json = False) -> None:
    """Judge every stored refusal and report again by today's rules, and put right what was misunderstood."""
    if dry_run and undo:
        raise InvalidInput("undo", "--dry-run and --undo say opposite things; give one of them")
    if undo:
        back, moved_on = run(lambda shell: undo_last(shell.database, shell.clock.now()))
        say(f"{back} messages were put back; {moved_on} have moved on since and stay as they are.")
        return
    changes = run(lambda shell: reclassify_history(shell, dry_run=dry_run))
    show([_row(change) for change in changes], as_json=as_json, empty="Today's rules say the same of everything.")


async def reclassify_history(shell: Shell, *, dry_run: bool) -> list[Change]:
    now, policy = shell.clock.now(), policy_of(shell.settings)
    async with ParserPool() as parser:
        changes = await find_changes(shell.database, Judge(shell.database, parser), now, policy)
    if not dry_run:
        await apply_changes(shell.database, changes, now, policy)
    return changes


class Judge:
    """What stored events mean by today's rules.

    A returned mail that is still kept is read again, whole. Of words alone it is believed that they strike nobody,
    never that they strike: they lack what stood around them.
    """

    def __init__(self, database: Database, parser: ParserPool) -> None:
        self._database = database
        self._parser = parser

    async def __call__(self, meanings: Sequence[Meaning], messages: Mapping[int, Message]) -> Sequence[Verdict | None]:
        reports = await self._read_again([one.report_id for one in meanings if one.report_id])
        return [_verdict(one, messages[one.message_id], reports.get(one.report_id or 0)) for one in meanings]

    async def _read_again(self, report_ids: Sequence[int]) -> dict[int, Report]:
        read: dict[int, Report] = {}
        for start in range(0, len(report_ids), _MAILS_AT_ONCE):
            async with self._database.read() as connection:
                raws = await raw_reports(connection, report_ids[start : start + _MAILS_AT_ONCE])
            read |= zip(raws, await self._parser.read_all(list(raws.values())), strict=True)
        return read


def _verdict(one: Meaning, message: Message, report: Report | None) -> Verdict | None:
    if report is not None:
        finding = finding_about(report.findings, message)
        return finding.verdict if finding else verdict_of(Reason.AUTO_REPLY, f"read again: {report.kind}")
    if one.kind is EventKind.ATTEMPT and one.stage:
        return classify(one.reply, site=_site_of(one.host), stage=one.stage)
    return _only_milder(one, message)


def _only_milder(one: Meaning, message: Message) -> Verdict | None:
    """What the words of something that struck an address mean today, where they strike it no more."""
    by_the_member = one.fault in (Fault.COMPLAINT, Fault.OPTOUT)
    if by_the_member or not one.reply.text or meaning_of(one.reason).action is not Action.SUPPRESS:
        return None
    is_report = one.kind is EventKind.REPORT
    site = message.domain if is_report else _site_of(one.host)
    verdict = classify(one.reply, site=site, action="failed" if is_report else "")
    return None if verdict.action is Action.SUPPRESS else verdict


def _site_of(host: str) -> str:
    """The operator of a host, which stands in an event with its address: `mx.example.org [192.0.2.1]`."""
    return find_site([host.split(" ", maxsplit=1)[0]])


def _row(change: Change) -> Row:
    one, verdict, decision = change.meaning, change.verdict, change.decision
    becomes = decision.status if decision else None
    return {
        "message": one.message_id,
        "address": change.message.email,
        "was": f"{one.reason} ({one.fault})",
        "is": f"{verdict.reason} ({verdict.fault})",
        "rule": verdict.rule,
        "message_becomes": becomes or "stays as it is",
        "address_becomes": _address_becomes(change),
        "words": str(one.reply),
    }


def _address_becomes(change: Change) -> str:
    if change.decision is None:
        return "stays as it is"
    if change.decision.suppress:
        return f"suppressed ({change.decision.suppress})"
    return "free" if meaning_of(change.meaning.reason).action is Action.SUPPRESS else "stays as it is"
