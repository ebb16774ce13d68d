"""How far a mailing has come."""

from __future__ import annotations

from dataclasses import dataclass

from config.vocabulary import MailingState, MessageStatus
from engine.lifecycle import WAITING
from engine.store import mailings, message_rows
from engine.store.database import Connection


@dataclass(frozen=True, slots=True)
class Progress:
    """A mailing's state and how many of its messages stand where."""

    state: MailingState
    counts: dict[MessageStatus, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def waiting(self) -> int:
        """How many may still be tried."""
        return sum(count for status, count in self.counts.items() if status in WAITING)


async def progress(connection: Connection, association_id: int, mailing_id: int) -> Progress:
    """Raises NotFound."""
    mailing = await mailings.get(connection, mailing_id, association_id)
    return Progress(mailing.state, await message_rows.counts(connection, mailing_id))
