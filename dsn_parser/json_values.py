"""Values out of JSON from outside, where anything may stand in the place of anything."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

TEXT_LIMIT_CHARACTERS = 8192
LIST_LIMIT = 100_000


def read_object(document: bytes | str) -> Mapping[str, object]:
    """Read a JSON object, empty where it is another value; raises ValueError where it is no JSON."""
    return as_object(orjson.loads(document))


def as_object(value: object) -> Mapping[str, object]:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """The value where it is a list, else an empty one; at most 100,000 items."""
    return value[:LIST_LIMIT] if isinstance(value, list) else []


def as_objects(value: object) -> list[Mapping[str, object]]:
    """The objects of a list."""
    return [as_object(item) for item in as_list(value)]


def as_text(value: object) -> str:
    """The value where it is text, else ""; at most 8192 characters."""
    return value[:TEXT_LIMIT_CHARACTERS] if isinstance(value, str) else ""


def as_number(value: object) -> int:
    """The value where it is a whole number, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
