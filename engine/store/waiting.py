"""What waits in the queue is held for a site that takes no mail, found when it has waited too long, or taken out."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, select

from config.vocabulary import Fault, MailingState, MessageStatus, Reason
from engine.store.database import Connection
from engine.store.lanes import waiting_mailings
from engine.store.message_rows import Message, select_messages
from engine.store.messages import move_waiting
from engine.store.tables import mailing, message


async def hold(
    connection: Connection,
    domains: Collection[str],
    until: datetime,
    now: datetime,
    *,
    reason: Reason,
    fault: Fault,
    text: str,
) -> int:
    """Let what waits for some domains wait until an instant, as `deferred`, without using a try; returns how many.

    The five days of trying begin with the first hold. What is `unknown` waits too, but stays what it is.
    """
    waits = _waits_for(domains) & (message.c.next_attempt_at < until)
    doubtful = message.c.status == MessageStatus.UNKNOWN
    held = 0
    for which, new in ((waits & ~doubtful, MessageStatus.DEFERRED), (waits & doubtful, MessageStatus.UNKNOWN)):
        held += await move_waiting(
            connection,
            which,
            new,
            now,
            reason=reason,
            fault=fault,
            text=text,
            next_attempt_at=until,
            starts_window=True,
        )
    return held


async def overdue(connection: Connection, domains: Collection[str], first_before: datetime) -> list[Message]:
    """What still waits for some domains though it was first tried or held before an instant; locked for moving."""
    old = (message.c.first_attempt_at <= first_before) & message.c.lease.is_(None)
    return await select_messages(connection, _waits_for(domains) & old, for_update=True)


async def sweep_cancelled(connection: Connection, now: datetime) -> int:
    """Take out of the queue what was under way when its mailing was cancelled and came back; returns how many."""
    cancelled = select(mailing.c.id).where(
        mailing.c.id.in_(waiting_mailings()), mailing.c.state == MailingState.CANCELLED
    )
    rest = message.c.mailing_id.in_(cancelled) & message.c.next_attempt_at.is_not(None)
    return await move_waiting(connection, rest, MessageStatus.NONE, now, reason=Reason.CANCELLED)


def _waits_for(domains: Collection[str]) -> ColumnElement[bool]:
    return (
        message.c.mailing_id.in_(waiting_mailings())
        & message.c.domain.in_(domains)
        & message.c.next_attempt_at.is_not(None)
    )
