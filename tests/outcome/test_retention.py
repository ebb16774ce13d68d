"""What is forgotten when, and what is not; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Table, func, select

from config.settings import read_settings
from config.vocabulary import EnhancedStatus, MessageStatus, Reason, Reply
from dsn_parser.classify import verdict_of
from engine.outcome.apply import ReportOutcome, apply_reports
from engine.outcome.decide import Policy
from engine.outcome.retention import forget_old
from engine.queue.retry_schedule import next_attempt
from engine.store import alerts, audit, letters, reports, retention
from engine.store.database import Connection, Database
from engine.store.letters import Allowance, NewLetter
from engine.store.message_rows import Event, Message, events_of, get_many
from engine.store.reports import NewReport, ReportState
from engine.store.tables import alert, audit_event, consent_event, message, report, suppression
from tests.journeys.returns import send_all
from tests.store.association import NOW

KEPT = read_settings().retention
WORDS = Reply(550, EnhancedStatus(5, 1, 1), "no such user")


async def bounce(connection: Connection, state: ReportState = ReportState.APPLIED) -> tuple[Message, int]:
    """A message that came back, and the mail that said so."""
    _, (ida,) = await send_all(connection, ["ida@example.org"])
    mail = NewReport(NOW, "", ("b+x",), "192.0.2.1", state.encode(), state, message_id=ida.message_id)
    (report_id,) = (await reports.add(connection, [mail])).values()
    outcome = ReportOutcome(ida.message_id, verdict_of(Reason.USER_UNKNOWN), WORDS, report_id, NOW)
    await apply_reports(connection, [outcome], NOW, Policy(next_attempt))
    return ida, report_id


async def forget_after(database: Database, days: float) -> int:
    return await forget_old(database, KEPT, NOW + timedelta(days=days, seconds=1))


async def count(database: Database, table: Table) -> int:
    async with database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def history(database: Database, one: Message) -> list[Event]:
    async with database.read() as connection:
        return await events_of(connection, one.message_id)


async def test_nothing_is_forgotten_before_its_time(database: Database) -> None:
    async with database.write() as connection:
        await bounce(connection)
    assert await forget_after(database, KEPT.raw_reports - 1) == 0


async def test_the_bytes_of_a_returned_mail_go_first(database: Database) -> None:
    async with database.write() as connection:
        ida, _ = await bounce(connection)
    assert await forget_after(database, KEPT.raw_reports) == 1
    async with database.read() as connection:
        assert (await connection.execute(select(report.c.raw, report.c.state))).all() == [(None, "applied")]
    assert (await history(database, ida))[-1].text == "no such user"


async def test_then_the_words_go_and_the_events_stay(database: Database) -> None:
    async with database.write() as connection:
        ida, _ = await bounce(connection)
    await forget_after(database, KEPT.delivery_log)
    assert await count(database, report) == 0
    events = await history(database, ida)
    assert {(event.text, event.host, event.report_id) for event in events} == {("", "", None)}
    assert events[-1].new is MessageStatus.INVALID
    async with database.read() as connection:
        assert (await connection.execute(select(message.c.last_reply))).scalar_one() is None
        assert (await connection.execute(select(suppression.c.evidence))).scalar_one() == str(WORDS)
    assert await forget_after(database, KEPT.delivery_log) == 0


async def test_at_last_the_events_go_and_what_a_member_agreed_to_stays(database: Database) -> None:
    async with database.write() as connection:
        ida, _ = await bounce(connection)
        await audit.note(connection, None, actor="siv", action="looked", detail={}, now=NOW)
        await alerts.raise_alert(connection, "breaker", "closed", "x", NOW)
        await alerts.close_about(connection, "breaker", "closed", NOW)
        await alerts.raise_alert(connection, "breaker", "open", "x", NOW)
    consents = await count(database, consent_event)
    await forget_after(database, KEPT.events)
    assert await history(database, ida) == []
    assert await count(database, audit_event) == 0
    assert await count(database, alert) == 1
    assert await count(database, consent_event) == consents
    async with database.read() as connection:
        assert (await get_many(connection, [ida.message_id]))[ida.message_id].status is MessageStatus.INVALID
    assert await count(database, suppression) == 1


async def test_a_letter_under_way_keeps_its_words(database: Database) -> None:
    async with database.write() as connection:
        ida, report_id = await bounce(connection, ReportState.FORWARDING)
        await letters.add(connection, NewLetter(report_id, ida.message_id), NOW, Allowance(1, 1))
    await forget_after(database, KEPT.events)
    async with database.read() as connection:
        assert (await connection.execute(select(report.c.raw))).scalar_one() == b"forwarding"


async def test_many_are_forgotten_a_part_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_PART", 3)
    async with database.write() as connection:
        mails = [NewReport(NOW, "", ("b+x",), "192.0.2.1", b"%d" % number) for number in range(10)]
        await reports.add(connection, mails)
    assert await forget_after(database, KEPT.raw_reports) == 10
    assert await forget_after(database, KEPT.delivery_log) == 10
