"""Which members a page is about: filter, order and columns, carried in its address from the list to the mailing."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import ImmutableMultiDict

from config.vocabulary import AddressStatus, Operator
from engine.errors import InvalidInput
from engine.register.views import ANYWHERE, EVERY_CARD, Condition, Filter, Sort, View

USUAL_COLUMNS = ("last_name", "first_name", "email", "status")
_USUAL_SORT = (Sort("last_name"), Sort("first_name"))
_NEED_NO_VALUE = (Operator.EMPTY, Operator.NOT_EMPTY)
_MOST_CONDITIONS = 20

Query = ImmutableMultiDict[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """The members of a view as they are looked at now."""

    filter: Filter = EVERY_CARD
    sort: tuple[Sort, ...] = _USUAL_SORT
    columns: tuple[str, ...] = USUAL_COLUMNS
    view_id: int | None = None

    @property
    def query(self) -> str:
        """The choice as it stands in an address."""
        return urlencode(self._pairs(self.filter, self.sort))

    def sorted_by(self, column: str) -> str:
        """The same members ordered by a column; a second time the other way round."""
        turned = self.direction(column) == "ascending"
        return urlencode(self._pairs(self.filter, (Sort(column, turned),)))

    def direction(self, column: str) -> str:
        """How the list is ordered by a column: `ascending`, `descending` or `none` (WAI-ARIA's words)."""
        first = self.sort[0] if self.sort else None
        if first is None or first.column != column:
            return "none"
        return "descending" if first.descending else "ascending"

    def of_status(self, status: AddressStatus) -> str:
        """Only those of the members whose address has a status."""
        others = tuple(one for one in self.filter.conditions if one.column != "status")
        wanted = Condition("status", Operator.EQUALS, status.value)
        return urlencode(self._pairs(Filter((*others, wanted)), self.sort))

    @property
    def sought(self) -> str:
        """What is searched for, where that is all that the filter does."""
        match self.filter.conditions:
            case (Condition(column=column, value=value),) if column == ANYWHERE:
                return value
        return ""

    def _pairs(self, chosen: Filter, sort: tuple[Sort, ...]) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = [("match", "any")] if chosen.match == "any" else []
        for one in chosen.conditions:
            pairs += [("column", one.column), ("operator", one.operator.value), ("value", one.value)]
        if sort != _USUAL_SORT:
            pairs += [("sort", f"-{one.column}" if one.descending else one.column) for one in sort]
        if self.columns != USUAL_COLUMNS:
            pairs += [("show", column) for column in self.columns]
        return pairs


def choice_of_view(view: View) -> Choice:
    return Choice(view.filter, view.sort or _USUAL_SORT, view.columns or USUAL_COLUMNS, view.id)


def read_choice(query: Query) -> Choice:
    """Read a choice from an address or a form. Raises InvalidInput for words that no page of ours puts there."""
    rows = zip(query.getlist("column"), query.getlist("operator"), query.getlist("value"), strict=False)
    conditions = [_condition(*row) for row in rows]
    written = tuple(one for one in conditions if one and (one.value or one.operator in _NEED_NO_VALUE))
    sort = tuple(Sort(name.removeprefix("-"), name.startswith("-")) for name in query.getlist("sort") if name)
    shown = tuple(dict.fromkeys(query.getlist("show")))
    return Choice(
        Filter(written[:_MOST_CONDITIONS], "any" if query.get("match") == "any" else "all"),
        sort or _USUAL_SORT,
        shown or USUAL_COLUMNS,
    )


def _condition(column: str, operator: str, value: str) -> Condition | None:
    if not column:
        return None
    if operator not in set(Operator):
        raise InvalidInput("filter", "give one of the operators")
    return Condition(column, Operator(operator), _status_of(value) if column == "status" else value)


def _status_of(text: str) -> str:
    """What people call a status, as the register keeps it; other text stands as it is."""
    labels = {status.label.casefold(): status.value for status in AddressStatus}
    return labels.get(text.strip().casefold(), text)
