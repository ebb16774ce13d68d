"""Long lists come in pages; each names where the next one starts."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import InvalidInput

_LARGEST_ID = 2**63 - 1

Source = TypeVar("Source")
Item = TypeVar("Item")


class PageQuery(BaseModel):
    """Which page of a list is wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=200, description="items a page")] = 50
    after: Annotated[str, Field(max_length=40, description="`next` of the page before")] = ""

    @property
    def after_id(self) -> int | None:
        """The id that the page before ended with. Raises InvalidInput."""
        if not self.after:
            return None
        try:
            number = int(urlsafe_b64decode(self.after.encode()))
        except (Error, ValueError):
            raise InvalidInput("after", 'give "next" of the page before as it was given, or leave it out') from None
        return max(0, min(number, _LARGEST_ID))


class Page(BaseModel, Generic[Item]):
    """One page of a list; `next` is null at the end."""

    items: list[Item]
    next: str | None


def page_of(
    rows: Sequence[Source], query: PageQuery, id_of: Callable[[Source], int], show: Callable[[Source], Item]
) -> Page[Item]:
    """Make a page of rows, of which one more than the limit was read."""
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return Page(items=[show(row) for row in shown], next=_cursor(id_of(shown[-1])) if more else None)


def _cursor(last_id: int) -> str:
    return urlsafe_b64encode(str(last_id).encode()).decode()
