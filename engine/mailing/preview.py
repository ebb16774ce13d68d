"""A mailing as one member would see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.compose.message import Identity, Preview, prepare
from engine.store import cards, mailings
from engine.store.cards import Card
from engine.store.database import Connection

__all__ = ["Preview", "preview"]

_NO_MESSAGE = 0
"""The message number whose links lead nowhere; real ones begin at 1."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """A card in the place of a message row."""

    card: Card
    created_at: datetime
    message_id: int = _NO_MESSAGE

    @property
    def first_name(self) -> str:
        return self.card.first_name

    @property
    def last_name(self) -> str:
        return self.card.last_name

    @property
    def email(self) -> str:
        return self.card.email

    @property
    def domain(self) -> str:
        return self.card.address_key.rpartition("@")[2]


async def preview(
    connection: Connection, association_id: int, mailing_id: int, card_id: int, identity: Identity
) -> Preview:
    """Make the mail for one card, with links that lead nowhere. Raises NotFound."""
    mailing = await mailings.get(connection, mailing_id, association_id)
    card = await cards.get(connection, association_id, card_id)
    return prepare(mailing, identity).show(_Reader(card, mailing.created_at))
