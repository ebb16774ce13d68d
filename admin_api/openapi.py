"""The OpenAPI 3.1 description, made of the route table and the shapes that the handlers themselves use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from admin_api import once
from admin_api.endpoint import PREFIX, Access, Endpoint
from admin_api.errors import MEDIA_TYPE, Problem
from admin_api.webhooks import Post

Json = dict[str, object]
_Use = tuple[type[BaseModel], JsonSchemaMode]
References = dict[_Use, str]
"""Which `$ref` a shape has as it is taken and as it is given."""

_PARAMETER = re.compile(r"\{(\w+):(\w+)\}")
_PATH_SCHEMA: dict[str, Json] = {
    "number": {"type": "integer", "minimum": 1, "maximum": 10**18 - 1},
    "site": {"type": "string", "minLength": 1},
}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_REF = "#/components/schemas/{model}"
_WHO = {
    Access.ANY: "Any key.",
    Access.ASSOCIATION: "A key of the association or of the installation.",
    Access.INSTALLATION: "A key of the installation.",
}


def describe(endpoints: Iterable[Endpoint], base_url: str) -> Json:
    """The whole document."""
    table = tuple(endpoints)
    names, schemas = _schemas(table)
    paths: dict[str, Json] = {}
    for endpoint in table:
        paths.setdefault(PREFIX + _plain(endpoint.path), {})[endpoint.method.lower()] = _operation(endpoint, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Brevduva", "version": "1", "description": "Member registers, mailings, and every answer."},
        "servers": [{"url": base_url}],
        "security": [{"key": []}],
        "paths": paths,
        "webhooks": {"events": {"post": _told(names[Post, "serialization"])}},
        "components": {"schemas": schemas, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }


def _schemas(table: tuple[Endpoint, ...]) -> tuple[References, Json]:
    """The schema of every shape, and where each is found."""
    bodies: list[_Use] = [(endpoint.body, "validation") for endpoint in table if endpoint.body]
    answers: list[_Use] = [(endpoint.answer, "serialization") for endpoint in table if endpoint.answer]
    uses: list[_Use] = [*bodies, *answers, (Problem, "serialization"), (Post, "serialization")]
    wanted = list(dict.fromkeys(uses))
    references, document = models_json_schema(wanted, ref_template=_REF)
    return {use: references[use]["$ref"] for use in wanted}, document["$defs"]


def _operation(endpoint: Endpoint, names: References) -> Json:
    operation: Json = {
        "operationId": f"{endpoint.act.__module__.rpartition('.')[2]}.{endpoint.act.__name__}",
        "summary": (endpoint.act.__doc__ or "").splitlines()[0],
        "description": _WHO[endpoint.access],
        "tags": [endpoint.act.__module__.rpartition(".")[2]],
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint), *_header_parameters(endpoint)],
        "responses": _responses(endpoint, names),
    }
    if endpoint.body:
        operation["requestBody"] = {"required": True, "content": _json_of(names[endpoint.body, "validation"])}
    if endpoint.takes_upload:
        binary = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
        operation["requestBody"] = {"required": True, "content": {"text/csv": binary, _XLSX: binary}}
    return operation


def _told(reference: str) -> Json:
    """What is posted to a webhook."""
    headers: list[Json] = [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    ]
    return {
        "summary": (Post.__doc__ or "").splitlines()[0],
        "parameters": headers,
        "requestBody": {"required": True, "content": _json_of(reference)},
        "responses": {"2XX": {"description": "Taken."}},
    }


def _responses(endpoint: Endpoint, names: References) -> Json:
    status = endpoint.status if endpoint.answer else HTTPStatus.NO_CONTENT
    good: Json = {"description": HTTPStatus(status).phrase}
    if endpoint.answer:
        good["content"] = _json_of(names[endpoint.answer, "serialization"])
    problem = {"schema": {"$ref": names[Problem, "serialization"]}}
    return {
        str(int(status)): good,
        "default": {"description": "What is wrong, and the cure (RFC 9457)", "content": {MEDIA_TYPE: problem}},
    }


def _json_of(reference: str) -> Json:
    return {"application/json": {"schema": {"$ref": reference}}}


def _plain(path: str) -> str:
    return _PARAMETER.sub(r"{\1}", path)


def _path_parameters(endpoint: Endpoint) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _PATH_SCHEMA[kind]}
        for name, kind in _PARAMETER.findall(endpoint.path)
    ]


def _query_parameters(endpoint: Endpoint) -> list[Json]:
    if endpoint.query is None:
        return []
    schema = endpoint.query.model_json_schema()
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _inlined(one, schema.get("$defs", {}))}
        for name, one in schema["properties"].items()
    ]


def _inlined(schema: Json, definitions: dict[str, Json]) -> Json:
    """A query parameter's schema with the enumerations it names put in place."""
    if isinstance(reference := schema.get("$ref"), str):
        return definitions[reference.rpartition("/")[2]]
    alternatives = schema.get("anyOf")
    if not isinstance(alternatives, list):
        return schema
    return {**schema, "anyOf": [_inlined(alternative, definitions) for alternative in alternatives]}


def _header_parameters(endpoint: Endpoint) -> list[Json]:
    headers: list[Json] = []
    if endpoint.once:
        text = {"type": "string", "minLength": 1, "maxLength": 200}
        headers.append({"name": once.HEADER, "in": "header", "required": False, "schema": text})
    if endpoint.needs_version:
        headers.append({"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}})
    return headers
