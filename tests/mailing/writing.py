"""A draft, for tests of what is done with it."""

from __future__ import annotations

from config.vocabulary import BodyFormat
from engine.mailing import drafts
from engine.store.database import Connection
from engine.store.mailings import Mailing
from tests.register.households import NOW, Household


async def write(
    connection: Connection, home: Household, *, subject: str = "Årsmöte", body: str = "Hej %NAME%!"
) -> Mailing:
    return await drafts.create(
        connection,
        home.id,
        home.office_id,
        home.user_id,
        subject=subject,
        body=body,
        format=BodyFormat.MARKDOWN,
        now=NOW,
    )
