"""Mailings as they are kept: drafts, senders and states."""

from __future__ import annotations

import pytest

from config.vocabulary import BodyFormat, MailingKind, MailingState
from engine.errors import NotFound
from engine.mailing import drafts
from engine.store import mailings, users
from engine.store.database import Connection, Database
from engine.store.mailings import Mailing, Sender
from tests.register.households import NOW, Household, found


async def _draft(connection: Connection, home: Household) -> Mailing:
    return await drafts.create(
        connection,
        home.id,
        home.office_id,
        home.user_id,
        subject="Hej",
        body="Hej %NAME%",
        format=BodyFormat.PLAIN,
        now=NOW,
    )


async def test_a_mailing_comes_back_as_it_was_written(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        made = await _draft(connection, home)
        assert await mailings.get(connection, made.id, home.id) == made
    assert (made.kind, made.state, made.format) == (MailingKind.MAILING, MailingState.DRAFT, BodyFormat.PLAIN)
    assert (made.sender.user, made.sender.office, made.sent_at) == ("Anna Andersson", "Kansliet", None)


async def test_an_operator_may_send_for_every_association(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        operator = await users.create(
            connection, None, name="Olle", email="olle@example.org", password_hash=None, now=NOW
        )
        sender = await mailings.sender_of(connection, home.id, home.office_id, operator.id)
    assert (sender.user, sender.user_email) == ("Olle", "olle@example.org")


async def test_what_was_sent_keeps_its_words_for_ever(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        made = await _draft(connection, home)
        sender = Sender("Klubben", "klubben", "Norra", "Anna", "anna@example.org")
        await mailings.turn(connection, made.id, [MailingState.DRAFT], MailingState.SENDING)
        await mailings.note_sent(connection, made.id, sender, {"unconfirmed": 2}, NOW)
        sent = await mailings.get(connection, made.id)
        assert not await mailings.rewrite(connection, made.id, "Nytt", "Nytt", BodyFormat.PLAIN)
        assert not await mailings.remove_draft(connection, made.id)
        assert await mailings.get(connection, made.id) == sent
    assert (sent.sender, sent.skipped, sent.sent_at) == (sender, {"unconfirmed": 2}, NOW)


async def test_a_state_turns_only_from_the_states_named(database: Database) -> None:
    async with database.write() as connection:
        made = await _draft(connection, await found(connection))
        assert not await mailings.turn(connection, made.id, [MailingState.SENDING], MailingState.PAUSED)
        assert await mailings.turn(connection, made.id, [MailingState.DRAFT], MailingState.SENDING)
        assert not await mailings.turn(connection, made.id, [MailingState.DRAFT], MailingState.SENDING)


async def test_anothers_mailing_does_not_exist(database: Database) -> None:
    async with database.write() as connection:
        home, other = await found(connection), await found(connection)
        made = await _draft(connection, home)
        with pytest.raises(NotFound):
            await mailings.get(connection, made.id, other.id)
