"""The longest due messages of some lanes, found without looking at the others; locked where others pick too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Subquery,
    Text,
    bindparam,
    select,
    true,
)

from config.vocabulary import MailingState
from engine.store.batches import Columns, batch, gathered
from engine.store.columns import Instant
from engine.store.database import Connection
from engine.store.suppressions import reaches
from engine.store.tables import mailing, message


@dataclass(frozen=True, slots=True)
class Want:
    """How many messages of one lane to claim, and the site they will go to where it is known."""

    domain: str
    mailing_id: int
    limit: int
    site: str | None = None


class Picked(NamedTuple):
    """A row to claim, and whether its address is suppressed by now; instants in microseconds."""

    id: int
    mailing_id: int
    association_id: int
    card_id: int
    email: str
    address_key: str
    first_name: str
    last_name: str
    domain: str
    status: str
    attempts: int
    created_at: int
    first_attempt_at: int | None
    lease: str | None
    suppressed: bool


async def pick(connection: Connection, wants: Sequence[Want], now: datetime) -> list[Picked]:
    """The rows to claim, locked where others write too; a statement for each limit that occurs."""
    by_limit: dict[int, list[list[object]]] = defaultdict(list)
    for want in wants:
        by_limit[want.limit].append([want.mailing_id, want.domain])
    statement = _pick_statement(connection.dialect.name, batch(connection, _LANE_COLUMNS))
    picked: list[Picked] = []
    for limit, rows in by_limit.items():
        found = await connection.execute(statement, {"rows": rows, "limit": limit, "now": now})
        picked += map(Picked._make, found.scalar() or [])
    return picked


_LANE_COLUMNS: Columns = {"mailing_id": BigInteger(), "domain": Text()}
_PICKED = Picked._fields[:-1]
_waiting = message.alias("waiting")


@cache
def _pick_statement(dialect: str, lane: Subquery) -> Select[Any]:
    make = _pick_postgresql if dialect == "postgresql" else _pick_sqlite
    rows = make(lane).subquery()
    return select(gathered(dialect, *rows.c))


def _pick_sqlite(lane: Subquery) -> Select[Any]:
    """SQLite knows no LATERAL, but follows a correlated IN by the number of the row."""
    longest = _longest_due(lane, [_waiting.c.id])
    return _picked(message).select_from(lane).join(message, message.c.id.in_(longest))


def _pick_postgresql(lane: Subquery) -> Select[Any]:
    """Rows that another sender is about to claim are skipped, not waited for."""
    longest = _longest_due(lane, [_waiting.c[name] for name in _PICKED]).with_for_update(skip_locked=True).lateral()
    return _picked(longest).select_from(lane).join(longest, true())


def _picked(rows: FromClause) -> Select[Any]:
    suppressed = reaches(rows.c.address_key, rows.c.association_id).label("suppressed")
    return select(*(rows.c[name] for name in _PICKED), suppressed)


def _longest_due(lane: Subquery, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
    row = _waiting.c
    state = select(mailing.c.state).where(mailing.c.id == lane.c.mailing_id).correlate(lane).scalar_subquery()
    return (
        select(*columns)
        .where(row.mailing_id == lane.c.mailing_id, row.domain == lane.c.domain, state == MailingState.SENDING)
        .where(row.next_attempt_at.is_not(None), row.next_attempt_at <= bindparam("now", type_=Instant()))
        .correlate(lane)
        .order_by(row.next_attempt_at)
        .limit(bindparam("limit", type_=Integer()))
    )
