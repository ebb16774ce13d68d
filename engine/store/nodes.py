"""The processes of the service: each says that it lives, and senders learn from it who else shares the work."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from engine.store.database import Connection
from engine.store.tables import node


@dataclass(frozen=True, slots=True)
class Node:
    """One process; `name` is its own for life."""

    name: str
    role: str
    host: str
    pid: int
    started_at: datetime


async def beat(connection: Connection, this: Node, now: datetime) -> None:
    """Say that a process lives."""
    seen = update(node).where(node.c.name == this.name).values(seen_at=now)
    if (await connection.execute(seen)).rowcount == 0:
        row = {"name": this.name, "role": this.role, "host": this.host, "pid": this.pid, "started_at": this.started_at}
        await connection.execute(insert(node).values(seen_at=now, **row))


async def leave(connection: Connection, name: str) -> None:
    """Say that a process has ended."""
    await connection.execute(delete(node).where(node.c.name == name))


async def alive(connection: Connection, role: str, seen_after: datetime) -> list[Node]:
    """The processes of a role that were heard of lately, oldest first."""
    columns = (node.c.name, node.c.role, node.c.host, node.c.pid, node.c.started_at)
    query = select(*columns).where(node.c.role == role, node.c.seen_at > seen_after)
    return [Node(*row) for row in await connection.execute(query.order_by(node.c.started_at, node.c.name))]


async def on_host(connection: Connection, host: str, *, seen_before: datetime | None = None) -> list[Node]:
    """The processes of one machine, dead or alive, oldest first; or those of them not heard of since an instant."""
    columns = (node.c.name, node.c.role, node.c.host, node.c.pid, node.c.started_at)
    query = select(*columns).where(node.c.host == host).order_by(node.c.started_at)
    if seen_before is not None:
        query = query.where(node.c.seen_at < seen_before)
    return [Node(*row) for row in await connection.execute(query)]


async def forget(connection: Connection, names: Collection[str]) -> None:
    """Drop processes that are known to have ended."""
    if names:
        await connection.execute(delete(node).where(node.c.name.in_(names)))
