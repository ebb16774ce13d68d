"""An association's own columns may come and go, but never from under a saved view."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from config.vocabulary import Operator
from engine.errors import Conflict
from engine.register import associations, views
from engine.register.views import Condition, Filter, Sort
from engine.store.database import Database

NOW = datetime(2026, 1, 12, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "needs",
    [
        {"columns": ["last_name", "Ort"]},
        {"filter": Filter((Condition("Ort", Operator.EQUALS, "Umeå"),))},
        {"sort": [Sort("Ort")]},
    ],
)
async def test_a_column_that_a_view_needs_stays(database: Database, needs: dict[str, object]) -> None:
    async with database.write() as connection:
        club = await associations.create(connection, "Sjövik", NOW, columns=["Ort", "Båt"])
        view = await views.create(connection, club.id, "Umeå", NOW, **needs)  # type: ignore[arg-type]  # one of three
        with pytest.raises(Conflict, match="the view 'Umeå' needs the column 'Ort'"):
            await associations.update(connection, club.id, columns=["Båt"])
        assert (await associations.update(connection, club.id, columns=["Ort"])).columns == ("Ort",)
        await views.remove(connection, club.id, view.id)
        assert (await associations.update(connection, club.id, columns=[])).columns == ()
