"""The published description: all of the table, and nothing that breaks the service."""

from __future__ import annotations

import re

from jsonschema_rs import meta

from admin_api.app import API
from admin_api.endpoint import PREFIX
from tests.api.world import World


async def _document(world: World) -> dict[str, object]:
    async with world.browser() as program:
        found = (await program.get("/openapi.json")).json()
        assert isinstance(found, dict)
        return found


async def test_every_endpoint_is_described_and_no_other(world: World) -> None:
    paths = (await _document(world))["paths"]
    assert isinstance(paths, dict)
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert described == {(one.method, PREFIX + re.sub(r":\w+\}", "}", one.path)) for one in API}


async def test_every_shape_is_a_valid_schema(world: World) -> None:
    document = await _document(world)
    assert document["openapi"] == "3.1.0"
    components = document["components"]
    assert isinstance(components, dict)
    for name, schema in components["schemas"].items():
        assert meta.is_valid(schema), name
