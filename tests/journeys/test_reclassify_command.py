"""`brevduva reclassify` reads returned mail again while it is kept; of words alone it only ever frees."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from config.settings import read_settings
from config.vocabulary import Fault, MessageStatus, Reason, Verdict
from dsn_parser.classify import verdict_of
from dsn_parser.reply import parse_reply
from engine.clock import HandClock
from engine.outcome.apply import AttemptOutcome, ReportOutcome, apply_attempts, apply_reports
from engine.outcome.decide import Policy
from engine.queue.retry_schedule import next_attempt
from engine.shell.app import Shell
from engine.shell.reclassifying import reclassify_history
from engine.store import reports, retention
from engine.store.database import Database
from engine.store.message_rows import Message, get_many
from engine.store.queue import Want, claim
from engine.store.reports import NewReport, ReportState
from tests.journeys.returns import bounce, original, send_all
from tests.store.association import NOW, make_association, queue_mailing

IDA = "ida@example.org"
ABOUT_US = "550 5.7.1 Service unavailable; client host [192.0.2.1] blocked using zen.spamhaus.org"
ABOUT_HER = "550 5.1.1 <ida@example.org>: Recipient address rejected: User unknown in virtual mailbox table"


async def misread(database: Database, words: str, as_it_was: Verdict) -> Message:
    """A bounce that is kept and was understood in another way than today."""
    async with database.write() as connection:
        _, (ida,) = await send_all(connection, [IDA])
        raw = bounce(original("<x@y>", IDA), IDA, "b+x@retur.brevduva.example", words)
        kept = NewReport(NOW, "", ("b+x",), "192.0.2.1", raw, ReportState.APPLIED, message_id=ida.message_id)
        (report_id,) = (await reports.add(connection, [kept])).values()
        outcome = ReportOutcome(ida.message_id, as_it_was, parse_reply(words), report_id, NOW)
        await apply_reports(connection, [outcome], NOW, Policy(next_attempt))
        return ida


async def status_of(database: Database, one: Message) -> MessageStatus:
    async with database.read() as connection:
        return (await get_many(connection, [one.message_id]))[one.message_id].status


def shell_of(database: Database, folder: Path) -> Shell:
    return Shell(read_settings(storage={"data_dir": folder}), database, HandClock(NOW))


async def forget_raw(database: Database) -> None:
    async with database.write() as connection:
        await retention.RAW.drop(connection, await retention.RAW.find(connection, NOW + timedelta(days=1)))


@pytest.mark.parametrize("is_kept", [True, False], ids=["mail kept", "only words left"])
async def test_a_bounce_that_was_about_us_frees_the_member(database: Database, tmp_path: Path, is_kept: bool) -> None:
    ida = await misread(database, ABOUT_US, verdict_of(Reason.USER_UNKNOWN))
    assert await status_of(database, ida) == MessageStatus.INVALID
    if not is_kept:
        await forget_raw(database)
    (change,) = await reclassify_history(shell_of(database, tmp_path), dry_run=False)
    assert change.verdict.fault is Fault.SENDER
    assert await status_of(database, ida) == MessageStatus.SOFT_BOUNCED


@pytest.mark.parametrize("is_kept", [True, False], ids=["mail kept", "only words left"])
async def test_a_bounce_that_was_about_the_member_strikes_only_while_the_mail_is_kept(
    database: Database, tmp_path: Path, is_kept: bool
) -> None:
    ida = await misread(database, ABOUT_HER, verdict_of(Reason.BLOCKED))
    if not is_kept:
        await forget_raw(database)
    await reclassify_history(shell_of(database, tmp_path), dry_run=False)
    assert await status_of(database, ida) == (MessageStatus.INVALID if is_kept else MessageStatus.SOFT_BOUNCED)


async def test_what_is_understood_as_it_was_changes_nothing(database: Database, tmp_path: Path) -> None:
    await misread(database, ABOUT_HER, verdict_of(Reason.USER_UNKNOWN))
    assert await reclassify_history(shell_of(database, tmp_path), dry_run=True) == []


async def test_an_opt_out_of_which_only_words_are_left_stands(database: Database, tmp_path: Path) -> None:
    ida = await misread(database, "unsubscribe", verdict_of(Reason.OPT_OUT))
    await forget_raw(database)
    assert await reclassify_history(shell_of(database, tmp_path), dry_run=False) == []
    assert await status_of(database, ida) == MessageStatus.UNSUBSCRIBED


@pytest.mark.parametrize(("stage", "is_changed"), [("mail", False), ("rcpt", True), ("", False)])
async def test_an_answer_is_judged_at_the_command_that_it_answered(
    database: Database, tmp_path: Path, stage: str, is_changed: bool
) -> None:
    """Before RCPT nobody was named; where the command is not known, words alone strike nobody."""
    reply = parse_reply(ABOUT_HER)
    async with database.write() as connection:
        mailing_id = await queue_mailing(connection, await make_association(connection, [IDA]))
        wants = [Want("example.org", mailing_id, 1)]
        (job,) = await claim(connection, wants, "mine", NOW, NOW + timedelta(minutes=15))
        verdict, host = verdict_of(Reason.SENDER_REJECTED), "mx.example.org [192.0.2.1]"
        outcome = AttemptOutcome(job, verdict, reply, host, "", False, None, NOW, stage)
        await apply_attempts(connection, [outcome], NOW, Policy(next_attempt))
    changes = await reclassify_history(shell_of(database, tmp_path), dry_run=True)
    assert [change.verdict.reason for change in changes] == [Reason.USER_UNKNOWN] * is_changed
