"""The mailings under way, each made ready once, so that a sender makes a mail from a message alone."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from config.settings import Settings
from engine.compose.dkim import Signer
from engine.compose.message import Identity, Prepared, prepare
from engine.keys import Keys
from engine.store import mailings
from engine.store.database import Database

_MOST_OPEN = 64


def identity_of(settings: Settings, keys: Keys) -> Identity:
    """Who this installation is to the world."""
    sending = settings.sending
    domain = sending.sender_address.rpartition("@")[2]
    return Identity(
        sender_address=sending.sender_address,
        hostname=sending.hostname,
        bounce_domain=sending.bounce_domain,
        base_url=str(settings.web.base_url).rstrip("/"),
        ring=keys.ring,
        signers=tuple(Signer(domain, selector, key) for selector, key in keys.dkim),
    )


class Bookshelf:
    """Keeps the mailings last used open; what was sent never changes, so nothing here grows old."""

    def __init__(self, database: Database, identity: Identity) -> None:
        self._database = database
        self._identity = identity
        self._open: OrderedDict[int, Prepared] = OrderedDict()
        self._reading = asyncio.Lock()  # whoever comes meanwhile finds the mailing open

    async def open(self, mailing_id: int) -> Prepared:
        """Return the mailing ready for its members. Raises NotFound."""
        async with self._reading:
            if mailing_id not in self._open:
                self._open[mailing_id] = await self._prepare(mailing_id)
        self._open.move_to_end(mailing_id)
        while len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)
        return self._open[mailing_id]

    async def _prepare(self, mailing_id: int) -> Prepared:
        async with self._database.read() as connection:
            return prepare(await mailings.get(connection, mailing_id), self._identity)
