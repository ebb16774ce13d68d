"""Drafts: a mailing while it is being written."""

from __future__ import annotations

from datetime import datetime

from config.vocabulary import BodyFormat, MailingKind
from engine.errors import Conflict, InvalidInput
from engine.register.texts import paragraphs, required
from engine.store import mailings
from engine.store.database import Connection
from engine.store.mailings import Mailing

LONGEST_SUBJECT = 200
LONGEST_BODY = 200_000


async def create(
    connection: Connection,
    association_id: int,
    office_id: int,
    user_id: int,
    *,
    subject: str,
    body: str,
    format: BodyFormat,
    now: datetime,
) -> Mailing:
    """Write a draft. Raises InvalidInput, for an office or user of somebody else's too."""
    sender = await mailings.sender_of(connection, association_id, office_id, user_id)
    return await mailings.create(
        connection,
        association_id,
        office_id,
        user_id,
        kind=MailingKind.MAILING,
        subject=required("subject", subject, LONGEST_SUBJECT),
        body=_checked_body(body),
        body_format=format,
        sender=sender,
        now=now,
    )


async def get(connection: Connection, association_id: int, mailing_id: int) -> Mailing:
    """Raises NotFound."""
    return await mailings.get(connection, mailing_id, association_id)


async def update(
    connection: Connection, association_id: int, mailing_id: int, *, subject: str, body: str, format: BodyFormat
) -> Mailing:
    """Write a draft anew. Raises InvalidInput, NotFound, and Conflict where it has been sent."""
    await get(connection, association_id, mailing_id)
    tidy = required("subject", subject, LONGEST_SUBJECT)
    if not await mailings.rewrite(connection, mailing_id, tidy, _checked_body(body), format):
        raise Conflict("the mailing has been sent; write a new one")
    return await get(connection, association_id, mailing_id)


async def remove(connection: Connection, association_id: int, mailing_id: int) -> None:
    """Throw a draft away. Raises NotFound, and Conflict where it has been sent."""
    await get(connection, association_id, mailing_id)
    if not await mailings.remove_draft(connection, mailing_id):
        raise Conflict("the mailing has been sent; it stays in the history")


def _checked_body(body: str) -> str:
    tidy = paragraphs(body)
    if not tidy:
        raise InvalidInput("body", "write something")
    if len(tidy) > LONGEST_BODY:
        raise InvalidInput("body", f"write at most {LONGEST_BODY} characters")
    return tidy
