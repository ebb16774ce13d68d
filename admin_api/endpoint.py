"""One line of the API's route table, and how a request to it is served.

The shapes of body, query and answer are read from the handler's own signature, so that what is checked, what is
published as OpenAPI and what the handler gets are one and the same.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from admin_api import once
from admin_api.bodies import LARGEST_UPLOAD_BYTES, SMALL_BODY_BYTES, limit_body
from admin_api.caller import Caller, bearer
from admin_api.errors import invalid_body
from admin_api.services import Services
from engine.register import associations
from engine.register.imports import Plan, plan_import, read_register
from engine.store import audit
from engine.store.database import Connection

PREFIX = "/api/v1"

Handler = Callable[..., Awaitable[BaseModel | None]]


class Access(StrEnum):
    """Whose key opens an endpoint."""

    ANY = "any"  # every key; the handler shows each its own
    ASSOCIATION = "association"  # keys of the association in the path, and keys of the installation
    INSTALLATION = "installation"  # keys of the installation only


@dataclass(frozen=True, slots=True)
class Call:
    """One request, within one transaction."""

    services: Services
    connection: Connection
    caller: Caller
    request: Request
    now: datetime

    def id(self, name: str) -> int:
        """A number from the path."""
        return int(self.request.path_params[name])

    @property
    def association_id(self) -> int:
        return self.id("association_id")

    async def note(self, action: str, **detail: str | int | None) -> None:
        """Write down who did this."""
        whose = self.association_id if "association_id" in self.request.path_params else None
        await audit.note(self.connection, whose, actor=self.caller.name, action=action, detail=detail, now=self.now)


@dataclass(frozen=True)
class Endpoint:
    """One method and path of the API, who may call it, and what answers."""

    method: str
    path: str
    act: Handler
    access: Access = Access.ASSOCIATION
    status: int = 200
    needs_version: bool = False  # whether If-Match must name the version that is changed
    asks_strangers: bool = False  # whether it waits for an answer from outside, while which nothing may be locked
    once: bool = False  # whether an Idempotency-Key is heeded; never where the answer holds a secret

    @cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.act, eval_str=True)

    def _model(self, parameter: str) -> type[BaseModel] | None:
        found = self._signature.parameters.get(parameter)
        return None if found is None else _as_model(found.annotation)

    @property
    def body(self) -> type[BaseModel] | None:
        """The shape of the JSON body, or None where there is none."""
        return self._model("body")

    @property
    def query(self) -> type[BaseModel] | None:
        return self._model("query")

    @property
    def answer(self) -> type[BaseModel] | None:
        return _as_model(self._signature.return_annotation)

    @property
    def takes_upload(self) -> bool:
        """Whether the body is a register: a CSV or XLSX file as it is."""
        return "plan" in self._signature.parameters

    @property
    def most_bytes(self) -> int:
        return LARGEST_UPLOAD_BYTES if self.takes_upload else SMALL_BODY_BYTES

    @property
    def changes(self) -> bool:
        return self.method != "GET"

    def route(self, services: Services) -> Route:
        async def serve_request(request: Request) -> Response:
            return await serve(self, services, request)

        return Route(PREFIX + self.path, serve_request, methods=[self.method])


def _as_model(annotation: object) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


async def serve(endpoint: Endpoint, services: Services, request: Request) -> Response:
    """Admit the caller, check what came, do the work in one transaction, answer."""
    caller = await _admit(endpoint, services, request)
    raw = await limit_body(request, endpoint.most_bytes).body()
    given = _check(endpoint, request, raw)
    if endpoint.takes_upload:
        given["plan"] = await _plan(services, request, raw)

    async def act(connection: Connection) -> Response:
        call = Call(services, connection, caller, request, services.clock.now())
        return _to_response(endpoint, await endpoint.act(call, **given))

    if endpoint.asks_strangers or not endpoint.changes:
        async with services.database.read() as connection:
            return await act(connection)
    async with once.at_most(services, request, caller.name, raw if endpoint.once else None) as turn:
        if turn.answer is not None:
            return turn.answer
        async with services.database.write() as connection:
            response = await act(connection)
            await turn.keep(connection, response)
        return response


async def _admit(endpoint: Endpoint, services: Services, request: Request) -> Caller:
    """Raises Refusal 401 and 403, and NotFound alike for what is unknown and what is somebody else's."""
    async with services.database.read() as connection:
        caller = await bearer(connection, request)
        if endpoint.access is Access.INSTALLATION:
            caller.must_run_the_installation()
        if "association_id" in request.path_params:
            association_id = int(request.path_params["association_id"])
            caller.must_see(association_id)
            await associations.get(connection, association_id)
        return caller


def _check(endpoint: Endpoint, request: Request, raw: bytes) -> dict[str, object]:
    """What the handler gets beside the call; JSON is read whatever its content type says."""
    given: dict[str, object] = {}
    if endpoint.query:
        given["query"] = _validate(endpoint.query, dict(request.query_params))
    if endpoint.body:
        given["body"] = _validate(endpoint.body, raw or b"{}")
    return given


async def _plan(services: Services, request: Request, raw: bytes) -> Plan:
    """What a register makes of the association's cards, worked out before the transaction: it may take a while."""
    sheet = await asyncio.to_thread(read_register, raw, _name_of(raw))
    return await plan_import(services.database, int(request.path_params["association_id"]), sheet)


def _name_of(raw: bytes) -> str:
    """What a file is called is not told; a workbook is a ZIP archive and says so in its first bytes."""
    return "register.xlsx" if raw.startswith(b"PK\x03\x04") else "register.csv"


def _validate(model: type[BaseModel], value: bytes | dict[str, str]) -> BaseModel:
    try:
        return model.model_validate_json(value) if isinstance(value, bytes) else model.model_validate(value)
    except ValidationError as error:
        raise invalid_body(error, model) from None


def _to_response(endpoint: Endpoint, answer: BaseModel | None) -> Response:
    if answer is None:
        return Response(status_code=204)
    version = getattr(answer, "version", None)
    headers = {"ETag": f'"{version}"'} if version is not None else {}
    return Response(
        orjson.dumps(answer.model_dump(mode="json")), endpoint.status, headers, media_type="application/json"
    )
