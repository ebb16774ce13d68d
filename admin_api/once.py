"""`Idempotency-Key`: a request that comes twice is carried out once and answered alike."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response

from admin_api.errors import Refusal
from admin_api.services import Services
from engine.store import idempotency
from engine.store.database import Connection
from engine.store.idempotency import Answer, Finding, Ticket

HEADER = "Idempotency-Key"
_LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Turn:
    """One request's turn: with the first answer where it was carried out before, else without one."""

    ticket: Ticket | None = None
    answer: Response | None = None

    async def keep(self, connection: Connection, response: Response) -> None:
        """Keep the answer in the transaction that does the work."""
        if self.ticket is not None:
            body = orjson.loads(response.body) if response.body else None
            await idempotency.finish(connection, self.ticket, Answer(response.status_code, body))


@asynccontextmanager
async def at_most(services: Services, request: Request, caller: str, raw: bytes | None) -> AsyncIterator[Turn]:
    """Take a turn under the request's key; without a key (or a body to compare: None) every request is a new one.

    Raises Refusal: 409 while the first is under way, 422 where the key was used for another request.
    """
    ticket = None if raw is None else _ticket(services, request, caller, raw)
    if ticket is None:
        yield Turn()
        return
    async with services.database.write() as connection:
        found = await idempotency.begin(connection, ticket)
    if isinstance(found, Answer):
        yield Turn(answer=_replay(found))
        return
    _refuse_unless_new(found)
    try:
        yield Turn(ticket)
    except Exception:
        async with services.database.write() as connection:
            await idempotency.abandon(connection, ticket)
        raise


def _ticket(services: Services, request: Request, caller: str, raw: bytes) -> Ticket | None:
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 0 < len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Refusal(400, f"{HEADER}: give 1 to {_LONGEST_KEY} printable ASCII characters, a new one for each deed")
    said = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + raw
    return Ticket(caller, key, hashlib.sha256(said).hexdigest(), services.clock.now())


def _refuse_unless_new(found: Finding) -> None:
    if found is Finding.IN_FLIGHT:
        raise Refusal(409, f"the first request with this {HEADER} is still under way; ask again in a while")
    if found is Finding.OTHER_REQUEST:
        raise Refusal(422, f"this {HEADER} was used for another request; give a new one")


def _replay(answer: Answer) -> Response:
    content = b"" if answer.body is None else orjson.dumps(answer.body)
    media_type = None if answer.body is None else "application/json"
    return Response(content, answer.status_code, {"Idempotency-Replayed": "true"}, media_type=media_type)
