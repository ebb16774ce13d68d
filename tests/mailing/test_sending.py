"""A mailing goes to the confirmed of a view, and may be held and stopped on the way."""

from __future__ import annotations

import pytest

from config.vocabulary import AddressStatus, MailingState, MessageStatus, Operator, Reason
from engine.errors import Conflict, InvalidInput, NotFound
from engine.mailing import sending
from engine.mailing.sending import NoConfirmedRecipient, SendCounts
from engine.register import offices
from engine.register.cards import Card
from engine.register.views import EVERY_CARD, Condition, Filter
from engine.store import history, lanes, mailings, suppressions
from engine.store.card_status import Turn, turn
from engine.store.database import Connection, Database
from engine.store.suppressions import Suppression
from tests.mailing.writing import write
from tests.register.households import NOW, Household, add_cards, found
from tests.store.association import card_status, messages_of


async def _members(connection: Connection, home: Household, *names: str) -> list[Card]:
    """Confirmed members."""
    people = [{"first_name": name, "email": f"{name.lower()}@example.org"} for name in names]
    members = await add_cards(connection, home, *people)
    await turn(connection, [Turn(one.id, one.address_key, AddressStatus.CONFIRMED) for one in members], NOW)
    return members


async def test_only_the_confirmed_of_the_view_are_written_to(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        ida, _ = await _members(connection, home, "Ida", "Bo")
        await add_cards(connection, home, {"first_name": "Eva", "email": "eva@example.org"}, {"first_name": "Siv"})
        draft = await write(connection, home)
        view = Filter((Condition("first_name", Operator.IS_NOT, "bo"),))
        counts = await sending.send(connection, home.id, draft.id, view, NOW)
        (message,) = await messages_of(connection, draft.id)
        sent = await mailings.get(connection, draft.id)
    assert counts == SendCounts(draft.id, 1, {"unconfirmed": 2})
    assert (message.card_id, message.email) == (ida.id, "ida@example.org")
    assert (message.status, message.domain, message.created_at) == (MessageStatus.QUEUED, "example.org", NOW)
    assert (sent.state, sent.skipped, sent.sent_at) == (MailingState.SENDING, {"unconfirmed": 2}, NOW)


async def test_without_a_confirmed_recipient_nothing_is_sent(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        await add_cards(connection, home, {"email": "eva@example.org"})
        draft = await write(connection, home)
    with pytest.raises(NoConfirmedRecipient) as refused:
        async with database.write() as connection:
            await sending.send(connection, home.id, draft.id, EVERY_CARD, NOW)
    assert refused.value.skipped == {"unconfirmed": 1}
    async with database.read() as connection:
        assert (await mailings.get(connection, draft.id)).state is MailingState.DRAFT


async def test_a_mailing_is_sent_once(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        await _members(connection, home, "Ida")
        draft = await write(connection, home)
        await sending.send(connection, home.id, draft.id, EVERY_CARD, NOW)
        with pytest.raises(Conflict):
            await sending.send(connection, home.id, draft.id, EVERY_CARD, NOW)
        assert len(await messages_of(connection, draft.id)) == 1


async def test_an_address_known_as_bad_is_blocked_not_tried(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        ida, bo = await _members(connection, home, "Ida", "Bo")
        dead = Suppression(bo.address_key, None, MessageStatus.BOUNCED, Reason.DISABLED, "550 5.2.1 Disabled")
        await suppressions.suppress(connection, [dead], NOW)
        draft = await write(connection, home)
        counts = await sending.send(connection, home.id, draft.id, EVERY_CARD, NOW)
        statuses = {message.card_id: message.status for message in await messages_of(connection, draft.id)}
        assert await card_status(connection, bo.id) is AddressStatus.PROBLEM_BLOCKED
    assert counts == SendCounts(draft.id, 1, {"blocked": 1})
    assert statuses == {ida.id: MessageStatus.QUEUED, bo.id: MessageStatus.BLOCKED}


async def test_the_sender_is_named_as_when_it_was_sent(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        await _members(connection, home, "Ida")
        draft = await write(connection, home)
        await offices.rename(connection, home.id, home.office_id, "Norra kontoret")
        await sending.send(connection, home.id, draft.id, EVERY_CARD, NOW)
        await offices.rename(connection, home.id, home.office_id, "Södra kontoret")
        assert (await mailings.get(connection, draft.id)).sender.office == "Norra kontoret"


async def test_a_paused_mailing_has_no_lane_until_it_is_resumed(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        await _members(connection, home, "Ida")
        draft = await write(connection, home)
        await sending.send(connection, home.id, draft.id, EVERY_CARD, NOW)
        assert len(await lanes.lanes(connection, NOW)) == 1
        assert (await sending.pause(connection, home.id, draft.id)).state is MailingState.PAUSED
        assert await lanes.lanes(connection, NOW) == []
        with pytest.raises(Conflict):
            await sending.pause(connection, home.id, draft.id)
        assert (await sending.resume(connection, home.id, draft.id)).state is MailingState.SENDING
        assert len(await lanes.lanes(connection, NOW)) == 1


async def test_a_cancelled_mailing_leaves_the_queue_for_good(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        await _members(connection, home, "Ida", "Bo")
        draft = await write(connection, home)
        await sending.send(connection, home.id, draft.id, EVERY_CARD, NOW)
        assert (await history.one_mailing(connection, home.id, draft.id)).waiting == 2
        cancelled = await sending.cancel(connection, home.id, draft.id, NOW)
        after = await history.one_mailing(connection, home.id, draft.id)
        with pytest.raises(Conflict):
            await sending.resume(connection, home.id, draft.id)
    assert (cancelled.state, after.state) == (MailingState.CANCELLED, MailingState.CANCELLED)
    assert (after.counts, after.total, after.waiting) == ({MessageStatus.NONE: 2}, 2, 0)


async def test_a_draft_can_be_neither_paused_nor_cancelled(database: Database) -> None:
    async with database.write() as connection:
        home, other = await found(connection), await found(connection)
        draft = await write(connection, home)
        with pytest.raises(Conflict):
            await sending.pause(connection, home.id, draft.id)
        with pytest.raises(Conflict):
            await sending.cancel(connection, home.id, draft.id, NOW)
        with pytest.raises(NotFound):
            await sending.send(connection, other.id, draft.id, EVERY_CARD, NOW)
        with pytest.raises(InvalidInput):
            await sending.send(connection, home.id, draft.id, Filter((Condition("Hund", Operator.EMPTY),)), NOW)
