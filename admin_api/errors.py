"""Refusals as problem details (RFC 9457): what is wrong, which field, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from http import HTTPStatus

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.responses import Response

from engine.errors import BrevduvaError, Conflict, InvalidInput, NotFound
from engine.store.database import is_storage_full

MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """One field that will not do: where it stands (RFC 6901 pointer) and the cure."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """Problem details (RFC 9457 3.1) with the fields that are wrong."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []


class Refusal(Exception):
    """A request that is refused; raised anywhere while it is served."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: tuple[FieldProblem, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers


@contextmanager
def named_by(field: str) -> Iterator[None]:
    """What a field names and is not there, or is somebody else's, is that field's fault."""
    try:
        yield
    except NotFound as error:
        raise InvalidInput(field, f"{error}; give the number of one that you see") from None


def refusal_of(error: Exception) -> Refusal:
    """What an accident of the engine means to the one who asked; anything unforeseen says nothing of its inside."""
    match error:
        case Refusal():
            return error
        case InvalidInput(field=name):
            return Refusal(422, str(error), (FieldProblem(pointer=to_pointer(name.split(".")), detail=str(error)),))
        case NotFound():
            return Refusal(404, "there is no such thing here, or it is not yours to see")
        case BrevduvaError():
            return Refusal(409 if isinstance(error, Conflict) else 400, str(error))
        case _ if is_storage_full(error):
            return Refusal(507, "the disk is full: nothing was changed; make room and ask again")
        case _:
            return Refusal(500, "something went wrong on our side; it is in the log, nothing was changed")


def invalid_body(error: ValidationError, model: type[BaseModel]) -> Refusal:
    """Every wrong field of a body or a query at once."""
    entries = error.errors(include_url=False, include_context=False, include_input=False)
    if any(entry["type"] == "json_invalid" for entry in entries):
        return Refusal(400, f"the body is not JSON ({entries[0]['msg']}); mend it and ask again")
    problems = tuple(_field_problem(entry, model) for entry in entries)
    return Refusal(422, "; ".join(f"{each.pointer}: {each.detail}" for each in problems), problems)


def to_response(refusal: Refusal) -> Response:
    phrase = HTTPStatus(refusal.status).phrase
    problem = Problem(
        type=f"urn:brevduva:problem:{phrase.lower().replace(' ', '-')}",
        title=phrase,
        status=refusal.status,
        detail=refusal.detail,
        errors=list(refusal.errors),
    )
    content = orjson.dumps(problem.model_dump())
    return Response(content, refusal.status, dict(refusal.headers or {}), media_type=MEDIA_TYPE)


def _field_problem(entry: ErrorDetails, model: type[BaseModel]) -> FieldProblem:
    location = [str(part) for part in entry["loc"]]
    return FieldProblem(pointer=to_pointer(location), detail=_cure(entry, location, model))


def _cure(entry: ErrorDetails, location: list[str], model: type[BaseModel]) -> str:
    if entry["type"] == "missing":
        return "this field is missing; give it"
    if entry["type"] == "extra_forbidden":
        near = get_close_matches(location[-1], model.model_fields, n=1)
        return f'there is no such field; did you mean "{near[0]}"?' if near else "there is no such field; take it away"
    return entry["msg"][:1].lower() + entry["msg"][1:]


def to_pointer(location: list[str]) -> str:
    """Where a field stands (RFC 6901)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in location)
