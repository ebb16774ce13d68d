"""The receiving sites whose mail does not flow freely: their breakers, kept for every process to see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from config.vocabulary import Fault, MessageStatus, Reason
from engine.errors import NotFound
from engine.store.database import Connection
from engine.store.lanes import waiting_mailings
from engine.store.tables import domain, message, site


@dataclass(frozen=True, slots=True)
class SiteState:
    """A breaker as it is stored; `state` is closed, open or half_open."""

    state: str
    reason: Reason
    fault: Fault
    why: str
    failures: int
    opened_at: datetime | None
    next_probe_at: datetime | None


async def not_closed(connection: Connection) -> dict[str, SiteState]:
    """The sites whose breaker is not closed."""
    return {row.name: _to_state(row) for row in await connection.execute(select(site).where(site.c.state != "closed"))}


async def save(connection: Connection, states: Mapping[str, SiteState], now: datetime) -> None:
    """Keep the breakers of some sites."""
    if not states:
        return
    make_insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make_insert(site)
    changed = {name: statement.excluded[name] for name in _SAVED}
    rows = [
        {"name": name, "limits": {}, "updated_at": now} | {column: getattr(state, column) for column in _STATE}
        for name, state in states.items()
    ]
    await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed), rows)


async def note_domains(connection: Connection, domains: Mapping[str, str], now: datetime) -> None:
    """Remember which site each of some domains belongs to."""
    if not domains:
        return
    make_insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make_insert(domain)
    changed = {"site": statement.excluded.site, "updated_at": statement.excluded.updated_at}
    rows = [{"name": name, "site": its_site, "updated_at": now} for name, its_site in domains.items()]
    await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed), rows)


async def resume(connection: Connection, name: str, now: datetime) -> None:
    """Let mail flow to a site again, by hand; what was held for it is due at once. Raises NotFound."""
    if not (await connection.execute(delete(site).where(site.c.name == name))).rowcount:
        raise NotFound("there is no such site, or its mail flows already")
    of_site = message.c.domain.in_(select(domain.c.name).where(domain.c.site == name))
    waits = (
        message.c.mailing_id.in_(waiting_mailings()),
        message.c.next_attempt_at.is_not(None),
        message.c.lease.is_(None),
        message.c.status == MessageStatus.DEFERRED,
    )
    await connection.execute(update(message).where(of_site, *waits).values(next_attempt_at=now))


_STATE = ("state", "reason", "fault", "why", "failures", "opened_at", "next_probe_at")
_SAVED = (*_STATE, "updated_at")


def _to_state(row: Row[Any]) -> SiteState:
    return SiteState(
        row.state, Reason(row.reason), Fault(row.fault), row.why, row.failures, row.opened_at, row.next_probe_at
    )
