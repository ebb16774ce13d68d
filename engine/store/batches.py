"""Many rows in one statement, on both databases: a batch travels as one JSON parameter and is read as a table.

Many rows come back as one value too: between two rows SQLite's thread would wait for Python's lock every time.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import JSON, ColumnElement, Select, Subquery, bindparam, cast, column, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

Columns = Mapping[str, TypeEngine[Any]]


def batch(connection: AsyncConnection, columns: Columns) -> Subquery:
    """A table with these columns; its rows are the parameter `rows`: lists of values in the order of the columns.

    Instants travel as the microseconds that they are stored as.
    """
    return _batch(connection.dialect.name, tuple(columns.items()))


@cache
def _batch(dialect: str, columns: tuple[tuple[str, TypeEngine[Any]], ...]) -> Subquery:
    read = _read_postgresql if dialect == "postgresql" else _read_sqlite
    return read(columns).subquery("batch")


def _read_sqlite(columns: tuple[tuple[str, TypeEngine[Any]], ...]) -> Select[Any]:
    each = func.json_each(bindparam("rows", type_=JSON)).table_valued("value")
    return select(
        *(
            func.json_extract(each.c.value, literal_column(f"'$[{place}]'"), type_=kind).label(name)
            for place, (name, kind) in enumerate(columns)
        )
    )


def _read_postgresql(columns: tuple[tuple[str, TypeEngine[Any]], ...]) -> Select[Any]:
    each = func.jsonb_array_elements(bindparam("rows", type_=JSONB)).table_valued(column("value", JSONB))
    return select(
        *(
            cast(each.c.value[literal_column(str(place))].astext, kind).label(name)
            for place, (name, kind) in enumerate(columns)
        )
    )


def gathered(dialect: str, *columns: ColumnElement[Any]) -> ColumnElement[Any]:
    """All rows in one value, each a list of these columns; None or empty where there is none."""
    if dialect == "postgresql":
        return func.json_agg(func.json_build_array(*columns), type_=JSON)
    return func.json_group_array(func.json_array(*columns), type_=JSON)
