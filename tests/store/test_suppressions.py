"""The book of addresses that nothing more is sent to, and the strikes of the others."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from config.vocabulary import AddressStatus, MessageStatus, Reason
from engine.errors import NotFound
from engine.store import addresses, history, operations
from engine.store.blocking import block_waiting
from engine.store.card_status import Turn, turn
from engine.store.database import Connection, Database
from engine.store.message_rows import counts
from engine.store.suppressions import Suppression, lift, suppress, suppressed
from engine.store.tables import address, suppression
from tests.store.association import NOW, card_status, make_association, queue_mailing

IDA, BO = "ida@example.org", "bo@example.net"


def bounced(key: str, association_id: int | None = None) -> Suppression:
    return Suppression(key, association_id, MessageStatus.BOUNCED, Reason.DISABLED, "550 5.2.1 disabled")


async def numbers(connection: Connection) -> list[int]:
    return list((await connection.execute(select(suppression.c.id).order_by(suppression.c.id))).scalars())


async def test_a_suppression_reaches_everybody_or_one_association(database: Database) -> None:
    async with database.write() as connection:
        ours, theirs = [(await make_association(connection, [])).id for _ in range(2)]
        await suppress(connection, [bounced(IDA), bounced(BO, ours)], NOW)
        assert await suppressed(connection, [IDA, BO, "eva@example.com"], ours) == {IDA, BO}
        assert await suppressed(connection, [IDA, BO], theirs) == {IDA}


async def test_what_another_associations_mail_taught_is_told_without_that_mail(database: Database) -> None:
    async with database.write() as connection:
        ours, theirs = await make_association(connection, [IDA]), await make_association(connection, [IDA])
        mail = (await history.messages(connection, await queue_mailing(connection, theirs)))[0]
        await suppress(connection, [replace(bounced(IDA), message_id=mail.id)], NOW)
        (seen,) = await operations.suppressions_seen_by(connection, ours.id)
        (own,) = await operations.suppressions_seen_by(connection, theirs.id)
    assert (seen.status, seen.message_id, seen.evidence) == (MessageStatus.BOUNCED, None, "")
    assert (own.message_id, own.evidence) == (mail.id, "550 5.2.1 disabled")


async def test_the_same_suppression_stands_in_the_book_once(database: Database) -> None:
    async with database.write() as connection:
        for _ in range(2):
            await suppress(connection, [bounced(IDA)], NOW)
        assert len(await numbers(connection)) == 1


async def test_lifting_frees_the_cards_unless_another_suppression_holds(database: Database) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, [IDA])
        await turn(connection, [Turn(sender.cards[0], IDA, AddressStatus.PROBLEM_BOUNCED)], NOW)
        await suppress(connection, [bounced(IDA), bounced(IDA, sender.id)], NOW)
        everywhere, ours = await numbers(connection)
        assert await lift(connection, ours, NOW) == 0
        assert await card_status(connection, sender.cards[0]) == AddressStatus.PROBLEM_BOUNCED
        assert await lift(connection, everywhere, NOW) == 1
        assert await card_status(connection, sender.cards[0]) == AddressStatus.UNCONFIRMED
        assert await suppressed(connection, [IDA], sender.id) == set()


async def test_what_is_lifted_cannot_be_lifted_again(database: Database) -> None:
    async with database.write() as connection:
        await suppress(connection, [bounced(IDA)], NOW)
        [number] = await numbers(connection)
        await lift(connection, number, NOW)
        with pytest.raises(NotFound):
            await lift(connection, number, NOW)


async def test_blocking_what_waits_leaves_a_card_that_already_says_why(database: Database) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, [IDA, BO])
        mailing_id = await queue_mailing(connection, sender)
        await turn(connection, [Turn(sender.cards[0], IDA, AddressStatus.PROBLEM_UNSUBSCRIBED)], NOW)
        assert await block_waiting(connection, [IDA, BO], None, NOW) == 2
        assert await counts(connection, mailing_id) == {MessageStatus.BLOCKED: 2}
        assert await card_status(connection, sender.cards[0]) == AddressStatus.PROBLEM_UNSUBSCRIBED
        assert await card_status(connection, sender.cards[1]) == AddressStatus.PROBLEM_BLOCKED


async def test_a_card_turns_only_as_the_lifecycle_allows_and_with_the_address_it_was_about(database: Database) -> None:
    async with database.write() as connection:
        sender = await make_association(connection, [IDA])
        [card_id] = sender.cards
        assert await turn(connection, [Turn(card_id, BO, AddressStatus.PROBLEM_BOUNCED)], NOW) == set()
        assert await turn(connection, [Turn(card_id, IDA, AddressStatus.REQUESTED)], NOW) == set()
        assert await turn(connection, [Turn(card_id, IDA, AddressStatus.PROBLEM_BOUNCED)], NOW) == {card_id}


async def test_strikes_add_up_until_a_receiver_takes_mail_again(database: Database) -> None:
    async with database.write() as connection:
        await addresses.strike(connection, [IDA, BO, IDA], NOW)
        await addresses.strike(connection, [IDA], NOW)
        assert (await addresses.strikes(connection, IDA), await addresses.strikes(connection, BO)) == (3, 1)
        await addresses.accept(connection, [IDA], NOW)
        assert (await addresses.strikes(connection, IDA), await addresses.strikes(connection, BO)) == (0, 1)


async def test_an_address_without_trouble_gets_no_row(database: Database) -> None:
    async with database.write() as connection:
        await addresses.accept(connection, [IDA], NOW)
        assert (await connection.execute(select(func.count()).select_from(address))).scalar() == 0
