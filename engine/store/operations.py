"""What whoever keeps the installation looks at, read only: suppressions, returned mail, sites, alerts, processes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, case, exists, func, select

from config.vocabulary import MessageStatus
from engine.errors import NotFound
from engine.store.database import Connection
from engine.store.tables import alert, card, message, node, report, site, suppression


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """One reason why nothing is sent to an address; `association_id` is None where it holds for all."""

    id: int
    address_key: str
    association_id: int | None
    status: MessageStatus
    reason: str
    evidence: str
    message_id: int | None
    created_at: datetime
    lifted_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One returned mail, without its bytes."""

    id: int
    received_at: datetime
    envelope_from: str
    recipients: tuple[str, ...]
    peer: str
    state: str
    kind: str
    findings: object
    message_id: int | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One receiving site and its circuit breaker."""

    name: str
    state: str
    why: str
    fault: str
    failures: int
    opened_at: datetime | None
    next_probe_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One thing that a person should look at."""

    id: int
    at: datetime
    kind: str
    subject: str
    text: str
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One process of the service and when it was last heard of."""

    name: str
    role: str
    host: str
    started_at: datetime
    seen_at: datetime


async def suppressions(
    connection: Connection, *, address_key: str = "", before_id: int | None = None, limit: int = 100
) -> list[SuppressionRow]:
    """Every suppression that is not lifted, newest first; of one address where it is named."""
    query = select(suppression).where(suppression.c.lifted_at.is_(None))
    return await _read_suppressions(connection, query, address_key, before_id, limit)


async def suppressions_seen_by(
    connection: Connection,
    association_id: int,
    *,
    address_key: str = "",
    before_id: int | None = None,
    limit: int = 100,
) -> list[SuppressionRow]:
    """Those that reach an association and whose address stands on a card of its own: other people's stay unseen.

    What was learned from another association's mail is told without that mail and the words about it.
    """
    own_addresses = select(card.c.address_key).where(card.c.association_id == association_id)
    reach = suppression.c.association_id.is_(None) | (suppression.c.association_id == association_id)
    is_others = exists().where(message.c.id == suppression.c.message_id, message.c.association_id != association_id)
    told = [column for column in suppression.c if column.name not in ("message_id", "evidence")]
    query = select(
        *told,
        case((is_others, None), else_=suppression.c.message_id).label("message_id"),
        case((is_others, ""), else_=suppression.c.evidence).label("evidence"),
    ).where(suppression.c.lifted_at.is_(None), reach, suppression.c.address_key.in_(own_addresses))
    return await _read_suppressions(connection, query, address_key, before_id, limit)


async def one_suppression(connection: Connection, suppression_id: int) -> SuppressionRow:
    """Raises NotFound."""
    row = (await connection.execute(select(suppression).where(suppression.c.id == suppression_id))).one_or_none()
    if row is None:
        raise NotFound("there is no such suppression")
    return _to_suppression(row)


async def reports(
    connection: Connection, *, state: str = "", before_id: int | None = None, limit: int = 100
) -> list[ReportRow]:
    """Returned mail, newest first; of one state where it is named."""
    query = select(*[column for column in report.c if column is not report.c.raw])
    if state:
        query = query.where(report.c.state == state)
    if before_id is not None:
        query = query.where(report.c.id < before_id)
    return [_to_report(row) for row in await connection.execute(query.order_by(report.c.id.desc()).limit(limit))]


async def one_report(connection: Connection, report_id: int) -> tuple[ReportRow, bytes | None]:
    """A returned mail with its bytes, which are None once their retention is over. Raises NotFound."""
    row = (await connection.execute(select(report).where(report.c.id == report_id))).one_or_none()
    if row is None:
        raise NotFound("there is no such report")
    return _to_report(row), row.raw


async def count_reports(connection: Connection) -> dict[str, int]:
    """How many returned mails stand in each state."""
    query = select(report.c.state, func.count()).group_by(report.c.state)
    return {row[0]: row[1] for row in await connection.execute(query)}


async def sites(connection: Connection) -> list[SiteRow]:
    """Every receiving site, those with an open breaker first."""
    query = select(site).order_by(site.c.state == "closed", site.c.name)
    return [_to_site(row) for row in await connection.execute(query)]


async def alerts(
    connection: Connection, *, only_open: bool = True, before_id: int | None = None, limit: int = 100
) -> list[AlertRow]:
    """What a person should look at, newest first."""
    query = select(alert)
    if only_open:
        query = query.where(alert.c.closed_at.is_(None))
    if before_id is not None:
        query = query.where(alert.c.id < before_id)
    rows = await connection.execute(query.order_by(alert.c.id.desc()).limit(limit))
    return [AlertRow(row.id, row.at, row.kind, row.subject, row.text, row.closed_at) for row in rows]


async def nodes(connection: Connection) -> list[NodeRow]:
    """The processes of the service, by name."""
    rows = await connection.execute(select(node).order_by(node.c.name))
    return [NodeRow(row.name, row.role, row.host, row.started_at, row.seen_at) for row in rows]


async def _read_suppressions(
    connection: Connection, query: Select[Any], address_key: str, before_id: int | None, limit: int
) -> list[SuppressionRow]:
    if address_key:
        query = query.where(suppression.c.address_key == address_key)
    if before_id is not None:
        query = query.where(suppression.c.id < before_id)
    rows = await connection.execute(query.order_by(suppression.c.id.desc()).limit(limit))
    return [_to_suppression(row) for row in rows]


def _to_suppression(row: Row[Any]) -> SuppressionRow:
    return SuppressionRow(
        id=row.id,
        address_key=row.address_key,
        association_id=row.association_id,
        status=MessageStatus(row.status),
        reason=row.reason,
        evidence=row.evidence,
        message_id=row.message_id,
        created_at=row.created_at,
        lifted_at=row.lifted_at,
    )


def _to_report(row: Row[Any]) -> ReportRow:
    return ReportRow(
        id=row.id,
        received_at=row.received_at,
        envelope_from=row.envelope_from,
        recipients=tuple(row.recipients),
        peer=row.peer,
        state=row.state,
        kind=row.kind,
        findings=row.findings,
        message_id=row.message_id,
        settled_at=row.settled_at,
    )


def _to_site(row: Row[Any]) -> SiteRow:
    return SiteRow(
        name=row.name,
        state=row.state,
        why=row.why,
        fault=row.fault,
        failures=row.failures,
        opened_at=row.opened_at,
        next_probe_at=row.next_probe_at,
        updated_at=row.updated_at,
    )
