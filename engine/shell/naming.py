"""What is in the store by the name a person gives it; a name that nothing has is answered with the way to the names."""

from __future__ import annotations

from engine.errors import NotFound
from engine.register import associations
from engine.register.associations import Association
from engine.store import history
from engine.store.database import Connection
from engine.store.history import MailingRow


async def association_named(connection: Connection, slug: str) -> Association:
    """Raises NotFound, with the way to the names that there are."""
    try:
        return await associations.by_slug(connection, slug)
    except NotFound:
        raise NotFound(f"there is no association {slug!r}; the names are told by: brevduva association list") from None


async def mailing_numbered(connection: Connection, mailing_id: int) -> MailingRow:
    """Raises NotFound, with the way to the numbers that there are."""
    try:
        return await history.any_mailing(connection, mailing_id)
    except NotFound:
        raise NotFound(f"there is no mailing {mailing_id}; the numbers are told by: brevduva mailing list") from None
