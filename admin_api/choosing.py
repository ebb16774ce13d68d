"""Whom a sending is for: a saved view, a filter, or everybody."""

from __future__ import annotations

from admin_api.endpoint import Call
from admin_api.errors import named_by
from admin_api.shapes import Id, Shape
from admin_api.views import FilterShape
from engine.errors import InvalidInput
from engine.register import views
from engine.register.views import Filter


class Recipients(Shape):
    """A saved view (`view_id`) or a filter; neither means the whole register."""

    view_id: Id | None = None
    filter: FilterShape | None = None


async def choose(call: Call, body: Recipients) -> Filter:
    """The filter that a body stands for. Raises InvalidInput for a view that is not the association's."""
    if body.view_id is not None and body.filter is not None:
        raise InvalidInput("filter", "give view_id or filter, not both")
    if body.view_id is not None:
        with named_by("view_id"):
            return (await views.get(call.connection, call.association_id, body.view_id)).filter
    return Filter() if body.filter is None else body.filter.to_filter()
