"""Medlemsutskick: the list, one mailing with every recipient, and why a member did not get it."""

from __future__ import annotations

import asyncio
from datetime import tzinfo

from admin_api.pages.csv_file import csv_file
from admin_api.pages.form import read_number
from admin_api.pages.templating import moment
from admin_api.pages.visit import Go, Outcome, Show, Visit
from config.vocabulary import MailingState, MessageStatus, Reason
from engine.mailing import sending
from engine.mailing.explain import explain
from engine.store import history
from engine.store.history import MessageRow

_HEAD = ("Förnamn", "Efternamn", "E-post", "Status", "Orsak", "Mottagarens svar", "Senast")
_MAILINGS_A_PAGE = 50
_RECIPIENTS_A_PAGE = 100


async def show_list(visit: Visit) -> Outcome:
    """Every mailing with its progress, newest first."""
    before = _number(visit, "before")
    rows = await history.mailings(visit.connection, visit.association.id, before_id=before, limit=_MAILINGS_A_PAGE + 1)
    shown = rows[:_MAILINGS_A_PAGE]
    next_before = shown[-1].id if len(rows) > _MAILINGS_A_PAGE else None
    return Show("mailings.html", {"mailings": shown, "next_before": next_before})


async def show(visit: Visit) -> Outcome:
    """One mailing: what it says, and what became of it for every recipient."""
    mailing = await history.one_mailing(visit.connection, visit.association.id, visit.id("mailing_id"))
    if mailing.state is MailingState.DRAFT:
        return Go(visit.here(f"/utskick/{mailing.id}/forhandsgranska"))
    name = visit.request.query_params.get("status", "")
    status = MessageStatus(name) if name in set(MessageStatus) else None
    messages, next_after = await _recipients(visit, mailing.id, status)
    values = {"mailing": mailing, "status": status, "messages": messages, "next_after": next_after}
    return Show("mailing.html", values | {"counts": list(mailing.counts.items())})


async def _recipients(
    visit: Visit, mailing_id: int, status: MessageStatus | None
) -> tuple[list[MessageRow], int | None]:
    """One page of a mailing's messages, and after which the next page begins."""
    after = _number(visit, "after") or 0
    statuses = (status,) if status else ()
    rows = await history.messages(
        visit.connection, mailing_id, statuses=statuses, after_id=after, limit=_RECIPIENTS_A_PAGE + 1
    )
    shown = rows[:_RECIPIENTS_A_PAGE]
    return shown, shown[-1].id if len(rows) > len(shown) else None


async def export(visit: Visit) -> Outcome:
    """Every recipient with status and answer, as a file that Excel opens."""
    mailing = await history.one_mailing(visit.connection, visit.association.id, visit.id("mailing_id"))
    rows = await history.messages(visit.connection, mailing.id, limit=max(1, mailing.total))
    lines = (_line(row, visit.time_zone) for row in rows)
    return await asyncio.to_thread(csv_file, f"utskick-{mailing.id}", _HEAD, lines)


async def why(visit: Visit) -> Outcome:
    """Why a member did not get a mailing, or that it went well; printable as proof of dispatch."""
    told = await explain(visit.connection, visit.association.id, visit.id("mailing_id"), visit.id("card_id"))
    return Show("why.html", {"told": told})


async def pause(visit: Visit) -> Outcome:
    """Let nothing more of a mailing leave for now."""
    await sending.pause(visit.connection, visit.association.id, visit.id("mailing_id"))
    return await _turned(visit, "mailing paused", "pausat")


async def resume(visit: Visit) -> Outcome:
    """Let a paused mailing go on."""
    await sending.resume(visit.connection, visit.association.id, visit.id("mailing_id"))
    return await _turned(visit, "mailing resumed", "fortsatt")


async def cancel(visit: Visit) -> Outcome:
    """Let what has not left never leave."""
    await sending.cancel(visit.connection, visit.association.id, visit.id("mailing_id"), visit.now)
    return await _turned(visit, "mailing cancelled", "avbrutet")


def _line(row: MessageRow, zone: tzinfo) -> list[str]:
    reason = Reason(row.reason).label if row.reason else ""
    last = moment(row.updated_at, zone)
    return [row.first_name, row.last_name, row.email, row.status.label, reason, row.last_reply or "", last]


async def _turned(visit: Visit, action: str, notice: str) -> Outcome:
    await visit.note(action, mailing=visit.id("mailing_id"))
    return Go(visit.here(f"/utskick/{visit.id('mailing_id')}"), notice)


def _number(visit: Visit, name: str) -> int | None:
    return read_number(visit.request.query_params.get(name, ""))
