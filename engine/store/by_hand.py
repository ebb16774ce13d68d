"""A suppression that a person makes: written in the book, seen on the cards, and felt by the mail that waits."""

from __future__ import annotations

from datetime import datetime

from engine.lifecycle import CARD_STATUS_OF
from engine.store.blocking import block_waiting
from engine.store.card_status import turn_where
from engine.store.database import Connection
from engine.store.suppressions import Suppression, suppress
from engine.store.tables import card


async def suppress_by_hand(connection: Connection, one: Suppression, now: datetime) -> None:
    """Let nothing more go to an address, everywhere or from one association."""
    await suppress(connection, [one], now)
    concerned = card.c.address_key == one.address_key
    if one.association_id is not None:
        concerned &= card.c.association_id == one.association_id
    await turn_where(connection, concerned, CARD_STATUS_OF[one.status], now)
    await block_waiting(connection, [one.address_key], one.association_id, now)
