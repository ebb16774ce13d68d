"""The ledger of consent, and confirmation from request to answer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.vocabulary import AddressStatus, ConfirmOutcome, ConsentKind, MailingKind, MessageStatus, Operator, Reason
from engine.errors import InvalidInput, NotFound
from engine.mailing.confirmations import TEXT_VERSION, confirm, confirmation_of, request_confirmations
from engine.mailing.sending import SendCounts
from engine.register import cards
from engine.register.imports import import_register, make_plan, read_known, read_register
from engine.register.views import Condition, Filter
from engine.store import consent, mailings, suppressions
from engine.store.card_status import Turn, turn
from engine.store.database import Connection, Database
from engine.store.filters import EVERY_CARD
from engine.store.suppressions import Suppression
from tests.register.households import NOW, Household, add_cards, found
from tests.store.association import card_status, make_association, messages_of, queue_mailing

LATER = NOW + timedelta(hours=1)


async def _ask(connection: Connection, home: Household, chosen: Filter = EVERY_CARD) -> SendCounts:
    return await request_confirmations(
        connection, home.id, chosen, user_id=home.user_id, office_id=home.office_id, now=NOW
    )


async def _suppress(connection: Connection, address_key: str) -> None:
    dead = Suppression(address_key, None, MessageStatus.BOUNCED, Reason.DISABLED, "550 5.2.1 Mailbox disabled")
    await suppressions.suppress(connection, [dead], NOW)


async def _message_of(connection: Connection, mailing_id: int | None) -> int:
    assert mailing_id is not None
    (message,) = await messages_of(connection, mailing_id)
    return message.message_id


async def test_the_unconfirmed_of_a_view_are_asked(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        ida, bo, eva = await add_cards(
            connection,
            home,
            {"first_name": "Ida", "email": "ida@example.org"},
            {"first_name": "Bo", "email": "bo@example.org"},
            {"first_name": "Eva"},
        )
        only = Filter((Condition("first_name", Operator.IS_NOT, "Bo"),))
        counts = await _ask(connection, home, only)
        assert counts.mailing_id is not None
        mailing = await mailings.get(connection, counts.mailing_id)
        statuses = [await card_status(connection, card.id) for card in (ida, bo, eva)]
        (entry,) = await consent.ledger(connection, ida.id)
    assert (counts.queued, counts.skipped) == (1, {"no_address": 1})
    assert (mailing.kind, mailing.skipped, mailing.sent_at) == (MailingKind.CONFIRMATION, counts.skipped, NOW)
    assert statuses == [AddressStatus.REQUESTED, AddressStatus.UNCONFIRMED, AddressStatus.UNCONFIRMED]
    assert (entry.kind, entry.address_key, entry.text_version) == (
        ConsentKind.REQUESTED,
        "ida@example.org",
        TEXT_VERSION,
    )


async def test_nobody_left_to_ask_makes_no_mailing(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        await add_cards(connection, home, {"email": "ida@example.org"}, {"first_name": "Eva"})
        await _ask(connection, home)
        again = await _ask(connection, home)
    assert again == SendCounts(None, 0, {"requested": 1, "no_address": 1})


async def test_a_known_bad_address_is_blocked_and_a_malformed_one_invalid(database: Database) -> None:
    sheet = read_register(b"E-post\nida@example.org\nbo@example.org\neva@@example\n", "register.csv")
    async with database.write() as connection:
        home = await found(connection)
        await import_register(connection, make_plan(await read_known(connection, home.id), sheet), NOW)
        await _suppress(connection, "bo@example.org")
        counts = await _ask(connection, home)
        page = await cards.find(connection, home.id)
        assert await consent.ledger(connection, page.cards[1].id) == []
    assert (counts.queued, counts.skipped) == (1, {"blocked": 1, "invalid": 1})
    assert [card.status for card in page.cards] == [
        AddressStatus.REQUESTED,
        AddressStatus.PROBLEM_BLOCKED,
        AddressStatus.PROBLEM_INVALID,
    ]


async def test_an_answer_confirms_the_address(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        (ida,) = await add_cards(connection, home, {"email": "Ida@example.org"})
        message_id = await _message_of(connection, (await _ask(connection, home)).mailing_id)
        asked = await confirmation_of(connection, message_id)
        assert (asked.asked_email, asked.status) == ("Ida@example.org", AddressStatus.REQUESTED)
        first = await confirm(connection, message_id, "page", LATER)
        second = await confirm(connection, message_id, "page", LATER)
        assert await card_status(connection, ida.id) is AddressStatus.CONFIRMED
        ledger = await consent.ledger(connection, ida.id)
    assert [first.outcome, second.outcome] == [ConfirmOutcome.CONFIRMED, ConfirmOutcome.ALREADY]
    assert (first.association, first.email) == (asked.association, "Ida@example.org")
    assert [(entry.kind, entry.how, entry.at) for entry in ledger[1:]] == [(ConsentKind.CONFIRMED, "page", LATER)]


async def test_an_old_link_confirms_no_new_address(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        (ida,) = await add_cards(connection, home, {"email": "ida@example.org"})
        message_id = await _message_of(connection, (await _ask(connection, home)).mailing_id)
        await cards.update(connection, home.id, ida.id, {"email": "ida@example.net"}, LATER)
        done = await confirm(connection, message_id, "page", LATER)
        assert await card_status(connection, ida.id) is AddressStatus.UNCONFIRMED
        kinds = [entry.kind for entry in await consent.ledger(connection, ida.id)]
    assert done.outcome is ConfirmOutcome.CHANGED
    assert kinds == [ConsentKind.REQUESTED, ConsentKind.RESET]


async def test_a_link_lifts_no_problem(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        (ida,) = await add_cards(connection, home, {"email": "ida@example.org"})
        message_id = await _message_of(connection, (await _ask(connection, home)).mailing_id)
        await turn(connection, [Turn(ida.id, ida.address_key, AddressStatus.PROBLEM_BOUNCED)], NOW)
        assert (await confirm(connection, message_id, "page", LATER)).outcome is ConfirmOutcome.PROBLEM


async def test_a_mailing_is_no_confirmation_request(database: Database) -> None:
    async with database.write() as connection:
        home = await make_association(connection, ["ida@example.org"])
        (message,) = await messages_of(connection, await queue_mailing(connection, home))
        for message_id in (message.message_id, 999_999):
            with pytest.raises(NotFound):
                await confirm(connection, message_id, "page", LATER)


async def test_an_address_is_asked_three_times_a_day_at_most(database: Database) -> None:
    async with database.write() as connection:
        homes = [await found(connection) for _ in range(4)]
        for home in homes:
            await add_cards(connection, home, {"email": "ida@example.org"}, {"email": f"bo{home.id}@example.org"})
        counts = [await _ask(connection, home) for home in homes]
        assert [count.queued for count in counts] == [2, 2, 2, 1]
        assert counts[3].skipped == {"asked_often": 1}
        tomorrow = NOW + timedelta(days=1, seconds=1)
        again = await request_confirmations(
            connection,
            homes[3].id,
            EVERY_CARD,
            user_id=homes[3].user_id,
            office_id=homes[3].office_id,
            now=tomorrow,
        )
    assert again.queued == 1


async def test_only_the_associations_own_users_and_columns_will_do(database: Database) -> None:
    async with database.write() as connection:
        home, other = await found(connection), await found(connection)
        with pytest.raises(InvalidInput):
            await _ask(connection, Household(home.id, other.office_id, home.user_id))
        with pytest.raises(InvalidInput):
            await _ask(connection, Household(home.id, home.office_id, other.user_id))
        with pytest.raises(InvalidInput):
            await _ask(connection, home, Filter((Condition("Hund", Operator.EMPTY),)))


async def test_the_message_of_a_request_waits_in_the_queue(database: Database) -> None:
    async with database.write() as connection:
        home = await found(connection)
        await add_cards(connection, home, {"email": "ida@example.org"})
        mailing_id = (await _ask(connection, home)).mailing_id
        assert mailing_id is not None
        (message,) = await messages_of(connection, mailing_id)
    assert (message.status, message.domain) == (MessageStatus.QUEUED, "example.org")
