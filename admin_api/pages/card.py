"""One member's card: read, changed, added, removed."""

from __future__ import annotations

from admin_api.pages.visit import Go, Outcome, Show, Visit
from engine.register import cards
from engine.register.addresses import suggest
from engine.store import consent, history

_BUILT_IN = ("first_name", "last_name", "email", "notes")


async def show_new(visit: Visit) -> Outcome:
    """An empty card."""
    return Show("card.html", {"card": None, "written": _written(visit), "messages": [], "consents": [], "near": None})


async def show(visit: Visit) -> Outcome:
    """A card with what was sent to it and what the member has consented to."""
    card = await cards.get(visit.connection, visit.association.id, visit.id("card_id"))
    values = {
        "card": card,
        "written": _written(visit),
        "messages": await history.messages_of_card(visit.connection, card.id),
        "consents": await consent.ledger(visit.connection, card.id),
        "near": suggest(card.email) if card.email else None,
    }
    return Show("card.html", values)


async def add(visit: Visit) -> Outcome:
    """Add a card."""
    card = await cards.create(visit.connection, visit.association.id, _written(visit), visit.now)
    await visit.note("card added", card=card.id)
    return Go(visit.here(f"/kort/{card.id}"), "tillagt")


async def change(visit: Visit) -> Outcome:
    """Change a card as it was read; a new address has to be confirmed anew."""
    card_id = visit.id("card_id")
    old = await cards.get(visit.connection, visit.association.id, card_id)
    card = await cards.update(
        visit.connection,
        visit.association.id,
        card_id,
        _written(visit),
        visit.now,
        version=visit.form.number("version"),
    )
    await visit.note("card changed", card=card_id)
    return Go(visit.here(f"/kort/{card_id}"), "sparat" if card.address_key == old.address_key else "ny-adress")


async def remove(visit: Visit) -> Outcome:
    """Remove a card and all that was sent to it."""
    await cards.remove(visit.connection, visit.association.id, visit.id("card_id"))
    await visit.note("card removed", card=visit.id("card_id"))
    return Go(visit.here("/medlemslista"), "borttaget")


def _written(visit: Visit) -> dict[str, str]:
    """What stands in the form; an own column is called `own.<its number>` there."""
    values = {name: visit.form.text(name) for name in _BUILT_IN if name in visit.form}
    for number, column in enumerate(visit.association.columns):
        if f"own.{number}" in visit.form:
            values[column] = visit.form.text(f"own.{number}")
    return values
