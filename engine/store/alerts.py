"""What the operator is told: one open alert for each kind and subject, until a person or the engine closes it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update

from engine.errors import NotFound
from engine.store.database import Connection
from engine.store.tables import alert


async def raise_alert(connection: Connection, kind: str, subject: str, text: str, now: datetime) -> bool:
    """Tell the operator, unless the same is open already; returns whether it is new."""
    same = (alert.c.kind == kind, alert.c.subject == subject, alert.c.closed_at.is_(None))
    if (await connection.execute(select(alert.c.id).where(*same).limit(1))).first():
        return False
    await connection.execute(insert(alert).values(at=now, kind=kind, subject=subject, text=text))
    return True


async def close(connection: Connection, alert_id: int, now: datetime) -> None:
    """A person has seen it. Raises NotFound; a second time changes nothing."""
    if not (await connection.execute(select(alert.c.id).where(alert.c.id == alert_id))).first():
        raise NotFound("there is no such alert")
    still_open = (alert.c.id == alert_id, alert.c.closed_at.is_(None))
    await connection.execute(update(alert).where(*still_open).values(closed_at=now))


async def close_about(connection: Connection, kind: str, subject: str, now: datetime) -> None:
    """What it was about is over."""
    about = (alert.c.kind == kind, alert.c.subject == subject, alert.c.closed_at.is_(None))
    await connection.execute(update(alert).where(*about).values(closed_at=now))
