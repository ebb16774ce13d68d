"""A member's letter reaches the user who sent the mailing, once, or the operator is told; on both databases."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from config.vocabulary import MessageStatus
from engine import forwarding
from engine.clock import HandClock
from engine.listen.forward import Forwarder, Letter, Obstacle, forward
from engine.return_path import KeyRing, Purpose, sign
from engine.store import cards, message_rows, operations
from engine.store.database import Database
from engine.store.message_rows import Message
from tests.fakes.dns import FakeDns
from tests.fakes.mx import FakeMx
from tests.journeys.returns import BOUNCE_DOMAIN, SENDER, House, open_house, send_all
from tests.store.association import NOW

IDA = "ida@example.org"
ZONE = {"example.org": {"MX": ["10 mx.example.org."]}, "mx.example.org": {"A": ["127.0.0.1"]}}


@asynccontextmanager
async def open_town(
    database: Database, folder: Path, mx: FakeMx, **allowance: int
) -> AsyncIterator[tuple[House, Message]]:
    """A receiver, the mail server of its users, and a message that was sent to Ida."""
    receiving = {"port": 0, **allowance}
    async with mx, FakeDns(ZONE) as names:
        sandbox = {"dns_port": names.port, "smtp_port": mx.port}
        async with open_house(database, folder, sandbox=sandbox, receiving=receiving) as house:
            async with database.write() as connection:
                _, (ida,) = await send_all(connection, [IDA])
            yield house, ida


def letter(ring: KeyRing, message: Message, extra: str = "") -> bytes:
    token = sign(ring, Purpose.BOUNCE, message.message_id)
    return (
        f"From: Ida Berg <{IDA}>\r\nTo: <{SENDER}>\r\nSubject: Re: Hej\r\n{extra}"
        f"In-Reply-To: <{token}@{BOUNCE_DOMAIN}>\r\n\r\nTack, jag kommer!\r\n.\r\n"
    ).encode()


async def bring_letters(house: House, message: Message, count: int) -> None:
    for _ in range(count):
        extra = f"Message-ID: <{secrets.token_hex(8)}@example.org>\r\n"
        await house.bring(SENDER, letter(house.keys.ring, message, extra), IDA)


async def states_of(house: House) -> list[str]:
    return [str(kept["state"]) for kept in await house.reports()]


async def test_a_letter_goes_to_the_user_with_an_empty_reverse_path_and_signed(
    database: Database, tmp_path: Path
) -> None:
    mx = FakeMx()
    async with open_town(database, tmp_path, mx) as (house, ida):
        await house.bring(SENDER, letter(house.keys.ring, ida), IDA)
        assert await states_of(house) == ["forwarded"]
    (mail,) = mx.mails
    assert any(command.startswith("MAIL FROM:<>") for command in mx.commands)
    assert mx.recipients[0].startswith("RCPT TO:<siv-")
    assert b"Reply-To: ida@example.org" in mail and b"DKIM-Signature:" in mail
    assert mail.endswith(b"\r\n\r\nTack, jag kommer!\r\n..\r\n")


async def test_a_letter_is_tried_again_and_handed_over_once(database: Database, tmp_path: Path) -> None:
    mx = FakeMx(script={"RCPT": [b"451 4.3.0 Try later\r\n"]})
    async with open_town(database, tmp_path, mx) as (house, ida):
        await house.bring(SENDER, letter(house.keys.ring, ida), IDA)
        assert await states_of(house) == ["forwarding"]
        assert isinstance(house.clock, HandClock)
        house.clock.leap(3600)
        await house.inbound.run_until_idle()
        assert await states_of(house) == ["forwarded"]
        house.clock.leap(3600)
        assert await house.inbound.run_until_idle() == 0
    assert len([mail for mail in mx.mails if mail]) == 1


async def test_a_letter_is_given_up_after_five_days_and_the_operator_is_told(
    database: Database, tmp_path: Path
) -> None:
    mx = FakeMx(always={"RCPT": b"451 4.3.0 Try later\r\n"})
    async with open_town(database, tmp_path, mx) as (house, ida):
        await house.bring(SENDER, letter(house.keys.ring, ida), IDA)
        assert isinstance(house.clock, HandClock)
        for _ in range(40):
            house.clock.leap_to(house.clock.now() + timedelta(hours=5))
            await house.inbound.run_until_idle()
        assert await states_of(house) == ["undelivered"]
        async with database.read() as connection:
            (told,) = await operations.alerts(connection)
        assert "451 4.3.0" in told.text
    assert house.clock.now() - NOW > timedelta(days=5)


async def test_a_user_who_is_unknown_ends_the_letter_and_the_operator_is_told(
    database: Database, tmp_path: Path
) -> None:
    mx = FakeMx(always={"RCPT": b"550 5.1.1 User unknown\r\n"})
    async with open_town(database, tmp_path, mx) as (house, ida):
        await house.bring(SENDER, letter(house.keys.ring, ida), IDA)
        assert await states_of(house) == ["undelivered"]
        async with database.read() as connection:
            assert [told.kind for told in await operations.alerts(connection)] == ["letter"]


async def test_what_is_automatic_or_goes_in_circles_is_kept_and_goes_nowhere(
    database: Database, tmp_path: Path
) -> None:
    mx = FakeMx()
    async with open_town(database, tmp_path, mx) as (house, ida):
        ring = house.keys.ring
        await house.bring(SENDER, letter(ring, ida, "Precedence: bulk\r\n"), IDA)
        await house.bring(SENDER, letter(ring, ida, f"X-Loop: {SENDER}\r\n"), IDA)
        await house.bring(SENDER, letter(ring, ida, "X-Null: 1\r\n"))
        assert await states_of(house) == ["applied"] * 3
    assert mx.mails == []


async def test_more_answers_to_one_mail_than_a_day_allows_are_kept_and_the_operator_is_told_once(
    database: Database, tmp_path: Path
) -> None:
    """A thief of a token, or a member beside themselves: the user's mailbox is not theirs to fill."""
    mx = FakeMx()
    async with open_town(database, tmp_path, mx, letters_per_message=3) as (house, ida):
        await bring_letters(house, ida, 6)
        assert await states_of(house) == ["forwarded"] * 3 + ["withheld"] * 3
        async with database.read() as connection:
            assert [told.subject for told in await operations.alerts(connection)] == [f"message {ida.message_id}"]
        assert isinstance(house.clock, HandClock)
        house.clock.leap(24 * 3600 + 1)
        await bring_letters(house, ida, 1)
        assert (await states_of(house))[-1] == "forwarded"
    assert len([mail for mail in mx.mails if mail]) == 4


async def test_more_letters_than_a_user_is_sent_in_a_day_wait_for_the_next_days_and_all_arrive(
    database: Database, tmp_path: Path
) -> None:
    mx = FakeMx()
    async with open_town(database, tmp_path, mx, letters_per_user=2) as (house, ida):
        await bring_letters(house, ida, 5)
        assert isinstance(house.clock, HandClock)
        arrived = []
        for _ in range(4):
            arrived.append((await states_of(house)).count("forwarded"))
            house.clock.leap(24 * 3600)
            await house.inbound.run_until_idle()
        assert arrived == [2, 4, 5, 5]
        async with database.read() as connection:
            assert [told.kind for told in await operations.alerts(connection)] == ["letters"]
    assert len([mail for mail in mx.mails if mail]) == 5


async def test_a_letter_of_a_member_who_was_erased_meanwhile_goes_nowhere(database: Database, tmp_path: Path) -> None:
    mx = FakeMx(script={"RCPT": [b"451 4.3.0 Try later\r\n"]})
    async with open_town(database, tmp_path, mx) as (house, ida):
        await house.bring(SENDER, letter(house.keys.ring, ida), IDA)
        async with database.write() as connection:
            await cards.erase(connection, ida.card_id)
        assert isinstance(house.clock, HandClock)
        house.clock.leap(3600)
        await house.inbound.run_until_idle()
        assert await states_of(house) == ["applied"]
    assert not [mail for mail in mx.mails if mail]


async def test_a_letter_that_cannot_be_made_into_a_mail_holds_up_no_other(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(one: Letter, recipient: str, via: str, forwarder: Forwarder) -> bytes | Obstacle:
        if b"poison" in one.raw:
            raise ZeroDivisionError
        return forward(one, recipient, via, forwarder)

    monkeypatch.setattr(forwarding, "forward", stumble)
    mx = FakeMx()
    async with open_town(database, tmp_path, mx) as (house, ida):
        await house.hand_over(SENDER, letter(house.keys.ring, ida, "X-Is: poison\r\n"), IDA)
        await bring_letters(house, ida, 1)
        assert sorted(await states_of(house)) == ["applied", "forwarded"]


async def test_a_letter_without_our_token_goes_nowhere(database: Database, tmp_path: Path) -> None:
    mx = FakeMx()
    async with open_town(database, tmp_path, mx) as (house, ida):
        await house.bring(SENDER, letter(KeyRing((b"the key of a forger, 32 bytes...",)), ida), IDA)
        assert await states_of(house) == ["unmatched"]
        async with database.read() as connection:
            message = await message_rows.get(connection, ida.message_id)
        assert message and message.status is MessageStatus.SENT
    assert mx.mails == []
