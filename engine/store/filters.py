"""Filter and sort as data: what a view keeps, what the API takes, and the SQL they stand for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal

from sqlalchemy import ColumnElement, String, and_, func, or_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from config.vocabulary import Operator
from engine.errors import InvalidInput
from engine.store.folding import fold
from engine.store.tables import card

BUILT_IN_COLUMNS = ("first_name", "last_name", "email", "status", "notes")
"""The columns that every register has; an association's own columns come after them."""

ANYWHERE = "*"
"""Stands for name, address and notes together: what is searched for a member of whom only a word is known."""

_SEARCHED = ("first_name", "last_name", "email", "notes")
_MOST_CONDITIONS = 50
_NEED_NO_VALUE = (Operator.EMPTY, Operator.NOT_EMPTY)


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a column with a value."""

    column: str
    operator: Operator
    value: str = ""

    def to_json(self) -> dict[str, str]:
        return {"column": self.column, "operator": self.operator.value, "value": self.value}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which cards: those for which all, or any, of the conditions hold; no condition means every card."""

    conditions: tuple[Condition, ...] = ()
    match: Literal["all", "any"] = "all"

    def to_json(self) -> dict[str, object]:
        return {"match": self.match, "conditions": [condition.to_json() for condition in self.conditions]}


EVERY_CARD = Filter()


@dataclass(frozen=True, slots=True)
class Sort:
    """One column to order by."""

    column: str
    descending: bool = False

    def to_json(self) -> dict[str, object]:
        return {"column": self.column, "descending": self.descending}


def read_filter(value: object) -> Filter:
    """Read a filter from JSON: `{"match": "all" | "any", "conditions": […]}`, or only the conditions.

    Raises InvalidInput that names the cure.
    """
    whole = value if isinstance(value, Mapping) else {"conditions": value if value is not None else []}
    match, conditions = whole.get("match", "all"), whole.get("conditions", [])
    if match not in ("all", "any"):
        raise InvalidInput("filter", 'give "all" or "any" as match')
    return Filter(tuple(_read_condition(entry) for entry in _entries(conditions, "filter")), match)


def read_sort(value: object) -> tuple[Sort, ...]:
    """Read an order from JSON: `[{"column": "last_name", "descending": false}, …]`. Raises InvalidInput."""
    return tuple(
        Sort(_text(entry, "column", "sort"), entry.get("descending") is True) for entry in _entries(value or [], "sort")
    )


def columns_of(shown: Sequence[str], chosen: Filter, sort: Sequence[Sort]) -> dict[str, None]:
    """Every column that is shown, filtered or ordered by, in that order, once each."""
    named = (*shown, *(condition.column for condition in chosen.conditions), *(entry.column for entry in sort))
    return dict.fromkeys(named)


def check_columns(own: Collection[str], shown: Sequence[str], chosen: Filter, sort: Sequence[Sort]) -> None:
    """Raise InvalidInput for the first column, shown, filtered or ordered by, that the register does not have.

    ANYWHERE can be filtered by.
    """
    named = Filter(tuple(condition for condition in chosen.conditions if condition.column != ANYWHERE))
    for column in columns_of(shown, named, sort):
        if column not in BUILT_IN_COLUMNS and column not in own:
            known = ", ".join((*BUILT_IN_COLUMNS, *own))
            raise InvalidInput("column", f"there is no column {column!r}; the register has {known}")


def where(chosen: Filter) -> ColumnElement[bool]:
    """The SQL condition of a filter."""
    if not chosen.conditions:
        return true()
    combine: Callable[..., ColumnElement[bool]] = and_ if chosen.match == "all" else or_
    return combine(*(_compare(condition) for condition in chosen.conditions))


def order(chosen: Sequence[Sort]) -> list[ColumnElement[str]]:
    """The SQL order of a view, the same on every database."""
    columns = [(_by_code_point(_folded(sort.column)), sort.descending) for sort in chosen]
    return [column.desc() if descending else column.asc() for column, descending in columns]


class _by_code_point(FunctionElement[str]):
    """A text compared letter by letter, not by the locale of the database (which would undo the folding)."""

    type = String()
    inherit_cache = True


@compiles(_by_code_point)
def _as_it_is(element: _by_code_point, compiler: SQLCompiler, **options: object) -> str:
    return compiler.process(element.clauses, **options)


@compiles(_by_code_point, "postgresql")
def _with_collation(element: _by_code_point, compiler: SQLCompiler, **options: object) -> str:
    return f'({compiler.process(element.clauses, **options)}) COLLATE "C"'


_COMPARISONS: dict[Operator, Callable[[ColumnElement[str], str], ColumnElement[bool]]] = {
    Operator.CONTAINS: lambda column, value: column.contains(value, autoescape=True),
    Operator.STARTS_WITH: lambda column, value: column.startswith(value, autoescape=True),
    Operator.EQUALS: lambda column, value: column == value,
    Operator.IS_NOT: lambda column, value: column != value,
    Operator.EMPTY: lambda column, _: column == "",
    Operator.NOT_EMPTY: lambda column, _: column != "",
    Operator.BEFORE: lambda column, value: and_(column != "", _by_code_point(column) < value),
    Operator.AFTER: lambda column, value: _by_code_point(column) > value,
}


def _compare(condition: Condition) -> ColumnElement[bool]:
    return _COMPARISONS[condition.operator](_folded(condition.column), fold(condition.value))


def _folded(column: str) -> ColumnElement[str]:
    if column == "status":
        return card.c.status
    if column == ANYWHERE:
        return reduce(lambda text, more: text + " " + more, map(_folded, _SEARCHED))
    return func.coalesce(card.c.folded[column].as_string(), "")


def _read_condition(entry: Mapping[str, object]) -> Condition:
    name = _text(entry, "operator", "filter")
    if name not in {operator.value for operator in Operator}:
        raise InvalidInput("filter", f"there is no operator {name!r}; there are {', '.join(Operator)}")
    operator = Operator(name)
    value = "" if operator in _NEED_NO_VALUE else _text(entry, "value", "filter")
    return Condition(_text(entry, "column", "filter"), operator, value)


def _entries(value: object, field: str) -> Sequence[Mapping[str, object]]:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    if not isinstance(value, Sequence) or not is_list or not all(isinstance(entry, Mapping) for entry in value):
        raise InvalidInput(field, "give a list of objects")
    if len(value) > _MOST_CONDITIONS:
        raise InvalidInput(field, f"give at most {_MOST_CONDITIONS}")
    return value


def _text(entry: Mapping[str, object], key: str, field: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str):
        raise InvalidInput(field, f"give {key} as text")
    return value
