"""Who is asking, and what that one may see."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from admin_api.errors import Refusal
from engine.errors import NotFound
from engine.store import api_keys
from engine.store.database import Connection

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="brevduva"'}


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of an API key, or a person who is logged in; without an association: the whole installation."""

    name: str
    association_id: int | None

    def must_see(self, association_id: int | None) -> None:
        """Raises NotFound, as for an unknown one, where the association is somebody else's."""
        if self.association_id is not None and self.association_id != association_id:
            raise NotFound("there is no such association")

    def must_run_the_installation(self) -> None:
        if self.association_id is not None:
            raise Refusal(403, "this needs a key for the whole installation; yours is for one association")


async def bearer(connection: Connection, request: Request) -> Caller:
    """The caller named by `Authorization: Bearer …` (RFC 6750 2.1)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    key = await api_keys.by_token(connection, token.strip()) if scheme.lower() == "bearer" else None
    if key is None:
        raise Refusal(401, "give a valid API key: Authorization: Bearer bvd_…", headers=_CHALLENGE)
    return Caller(f"key {key.id}", key.association_id)
