"""What is known of an address beside its suppressions: strikes, until a receiver takes mail for it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import cache

from sqlalchemy import Integer, Subquery, Text, Update, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.store.batches import batch
from engine.store.columns import Instant
from engine.store.database import Connection
from engine.store.tables import address


async def strike(connection: Connection, address_keys: Iterable[str], now: datetime) -> None:
    """Count a strike for each mention of an address."""
    rows = [[key, count] for key, count in sorted(Counter(address_keys).items())]
    if not rows:
        return
    new = batch(connection, {"address_key": Text(), "strikes": Integer()})
    make_insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    struck = select(new.c.address_key, new.c.strikes, bindparam("now", type_=Instant())).where(new.c.strikes > 0)
    statement = make_insert(address).from_select(["address_key", "strikes", "last_strike_at"], struck)
    more = {"strikes": address.c.strikes + statement.excluded.strikes, "last_strike_at": now}
    statement = statement.on_conflict_do_update(index_elements=[address.c.address_key], set_=more)
    await connection.execute(statement, {"rows": rows, "now": now})


async def accept(connection: Connection, address_keys: Iterable[str], now: datetime) -> None:
    """Forget the strikes of addresses that a receiver has taken mail for. Who never had a strike gets no row."""
    rows = [[key] for key in address_keys]
    if not rows:
        return
    await connection.execute(_accept(batch(connection, {"address_key": Text()})), {"rows": rows, "now": now})


@cache
def _accept(accepted: Subquery) -> Update:
    return (
        update(address)
        .where(address.c.address_key == accepted.c.address_key)
        .values(strikes=0, last_accepted_at=bindparam("now", type_=Instant()))
    )


async def strikes(connection: Connection, address_key: str) -> int:
    """How many strikes an address has since a receiver last took mail for it."""
    query = select(address.c.strikes).where(address.c.address_key == address_key)
    return (await connection.execute(query)).scalar() or 0
