"""Who did what, append-only: for the association and for the operator."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert

from engine.store.database import Connection
from engine.store.tables import audit_event


async def note(
    connection: Connection,
    association_id: int | None,
    *,
    actor: str,
    action: str,
    detail: Mapping[str, str | int | None],
    now: datetime,
) -> None:
    """Write down one deed in the transaction that does it; `actor` is as in `user 3` or `key 7`."""
    values = {"association_id": association_id, "actor": actor, "action": action, "detail": dict(detail), "at": now}
    await connection.execute(insert(audit_event).values(values))
