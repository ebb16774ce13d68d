"""Drafts and their previews."""

from __future__ import annotations

import pytest

from config.vocabulary import BodyFormat, MailingState
from engine.errors import Conflict, InvalidInput, NotFound
from engine.mailing import drafts
from engine.mailing.preview import preview
from engine.store import mailings
from engine.store.database import Database
from tests.compose.letters import identity
from tests.mailing.writing import write
from tests.register.households import add_cards, found


async def test_a_draft_is_written_tidily_and_anew(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        draft = await write(connection, home, subject=" Årsmöte\r\nBcc: x ", body="\r\nHej\r\ndu\0\r\n")
        assert (draft.subject, draft.body) == ("Årsmöte Bcc: x", "Hej\ndu")
        anew = await drafts.update(
            connection, home.id, draft.id, subject="Ny", body="**Ny**", format=BodyFormat.MARKDOWN
        )
        assert (anew.subject, anew.body, anew.format) == ("Ny", "**Ny**", BodyFormat.MARKDOWN)
        await drafts.remove(connection, home.id, draft.id)
        with pytest.raises(NotFound):
            await drafts.get(connection, home.id, draft.id)


@pytest.mark.parametrize(
    ("subject", "body"), [("", "Hej"), ("Hej", " \n "), ("x" * 201, "Hej"), ("Hej", "x" * 200_001)]
)
async def test_a_draft_has_to_say_something_but_not_everything(database: Database, subject: str, body: str) -> None:
    async with database.write() as connection:
        home = await found(connection)
        with pytest.raises(InvalidInput):
            await write(connection, home, subject=subject, body=body)


async def test_what_is_sent_is_no_draft_any_more(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        draft = await write(connection, home)
        await mailings.turn(connection, draft.id, [MailingState.DRAFT], MailingState.SENDING)
        with pytest.raises(Conflict):
            await drafts.update(connection, home.id, draft.id, subject="x", body="x", format=BodyFormat.PLAIN)
        with pytest.raises(Conflict):
            await drafts.remove(connection, home.id, draft.id)


async def test_a_preview_shows_the_mail_of_one_member(database: Database) -> None:
    async with database.write() as connection:
        home, other = await found(connection), await found(connection)
        draft = await write(connection, home, subject="Till %NAME%", body="Hej %FIRST_NAME%, %NAMN%!")
        (ida,) = await add_cards(connection, home, {"first_name": "Ida", "last_name": "Berg", "email": "ida@Åland.fi"})
        seen = await preview(connection, home.id, draft.id, ida.id, identity())
        with pytest.raises(NotFound):
            await preview(connection, other.id, draft.id, ida.id, identity())
    assert (seen.subject, seen.recipient) == ("Till Ida Berg", "Ida Berg <ida@Åland.fi>")
    assert "Hej Ida, %NAMN%!" in seen.html
    assert "Hej Ida, %NAMN%!" in seen.text
    assert "Kansliet" in seen.text
    assert [warning.split()[0] for warning in seen.warnings] == ["%NAMN%"]
