"""What comes back over SMTP is read, matched and applied once, whatever goes wrong on the way; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from config.vocabulary import AddressStatus, MessageStatus
from engine.return_path import Purpose, sign
from engine.returned import Bookkeeper, Returned
from engine.store import message_rows, operations
from engine.store.database import Database
from tests.journeys.returns import BOUNCE_DOMAIN, SENDER, House, bounce, open_house, original, original_of, send_all
from tests.store.association import card_status

IDA, OVE = "ida@example.org", "ove@example.org"


async def status_of(house: House, message_id: int) -> MessageStatus:
    async with house.database.read() as connection:
        message = await message_rows.get(connection, message_id)
        assert message is not None
        return message.status


async def test_a_bounce_to_the_signed_return_path_marks_message_and_card(database: Database, tmp_path: Path) -> None:
    async with open_house(database, tmp_path) as house:
        async with database.write() as connection:
            sender, (ida, ove) = await send_all(connection, [IDA, OVE])
        address = house.address_of(ida)
        await house.bring(address, bounce(original_of(house.keys.ring, ida), IDA, address))
        assert await status_of(house, ida.message_id) == MessageStatus.INVALID
        assert await status_of(house, ove.message_id) == MessageStatus.SENT
        async with database.read() as connection:
            assert await card_status(connection, sender.cards[0]) == AddressStatus.PROBLEM_INVALID
        (kept,) = await house.reports()
        assert (kept["state"], kept["kind"], kept["message_id"]) == ("applied", "delivery_report", ida.message_id)
        assert not list((tmp_path / "spool" / "new").iterdir())


async def test_the_token_in_the_returned_original_is_enough(database: Database, tmp_path: Path) -> None:
    async with open_house(database, tmp_path) as house:
        async with database.write() as connection:
            _, (ida,) = await send_all(connection, [IDA])
        postmaster = f"postmaster@{BOUNCE_DOMAIN}"
        await house.bring(postmaster, bounce(original_of(house.keys.ring, ida), IDA, postmaster))
        assert await status_of(house, ida.message_id) == MessageStatus.INVALID


async def test_a_forwarder_that_names_another_address_still_hits_the_right_message(
    database: Database, tmp_path: Path
) -> None:
    async with open_house(database, tmp_path) as house:
        async with database.write() as connection:
            _, (ida,) = await send_all(connection, [IDA])
        address = house.address_of(ida)
        await house.bring(address, bounce(original("<x@elsewhere>", IDA), "ida@newplace.example", address))
        assert await status_of(house, ida.message_id) == MessageStatus.INVALID
        assert await house.suppressed() == {IDA}


async def test_the_same_mail_twice_counts_once_even_in_one_batch(database: Database, tmp_path: Path) -> None:
    async with open_house(database, tmp_path) as house:
        async with database.write() as connection:
            _, (ida,) = await send_all(connection, [IDA])
        address = house.address_of(ida)
        full = bounce(original_of(house.keys.ring, ida), IDA, address, "452 4.2.2 Mailbox full")
        await house.hand_over(address, full)
        await house.bring(address, full)
        await house.bring(address, full)
        assert len(await house.reports()) == 1
        async with database.read() as connection:
            events = await message_rows.events_of(connection, ida.message_id)
        assert [event.report_id is not None for event in events].count(True) == 1


async def test_two_receivers_on_one_spool_apply_everything_once(database: Database, tmp_path: Path) -> None:
    people = [f"medlem{number}@example.org" for number in range(30)]
    async with open_house(database, tmp_path) as house, open_house(database, tmp_path) as other:
        async with database.write() as connection:
            _, messages = await send_all(connection, people)
        for number, message in enumerate(messages):
            address = house.address_of(message)
            raw = bounce(original_of(house.keys.ring, message), message.email, address)
            await (house, other)[number % 2].hand_over(address, raw)
        await asyncio.gather(house.inbound.run_until_idle(), other.inbound.run_until_idle())
        assert len(await house.reports()) == len(people)
        assert await house.suppressed() == set(people)
        assert not [*(tmp_path / "spool" / "new").iterdir()]
        assert not (tmp_path / "spool" / "aside").exists()


async def test_reports_about_one_message_in_one_batch_are_applied_in_their_order(
    database: Database, tmp_path: Path
) -> None:
    async with open_house(database, tmp_path) as house:
        async with database.write() as connection:
            _, (ida,) = await send_all(connection, [IDA])
        address, ours = house.address_of(ida), original_of(house.keys.ring, ida)
        await house.hand_over(address, bounce(ours, IDA, address, "452 4.2.2 Mailbox full"))
        await house.bring(address, bounce(ours, IDA, address))
        assert await status_of(house, ida.message_id) == MessageStatus.INVALID


async def test_a_mail_to_the_unsubscribe_address_lets_the_member_out(database: Database, tmp_path: Path) -> None:
    async with open_house(database, tmp_path) as house:
        async with database.write() as connection:
            _, (ida,) = await send_all(connection, [IDA])
        address = f"u+{sign(house.keys.ring, Purpose.UNSUBSCRIBE, ida.message_id)}@{BOUNCE_DOMAIN}"
        await house.bring(address, b"From: ida@example.org\r\nSubject: unsubscribe\r\n\r\nunsubscribe\r\n", IDA)
        assert await status_of(house, ida.message_id) == MessageStatus.UNSUBSCRIBED


async def test_a_signed_report_about_a_message_that_is_gone_is_kept(database: Database, tmp_path: Path) -> None:
    """A restored backup or an erased card: the signature is ours, and the number is nobody's."""
    async with open_house(database, tmp_path) as house:
        address = f"b+{sign(house.keys.ring, Purpose.BOUNCE, 123456)}@{BOUNCE_DOMAIN}"
        await house.bring(address, bounce(original("<x@y>", IDA), IDA, address))
        (kept,) = await house.reports()
        assert (kept["state"], kept["message_id"]) == ("unmatched", None)


async def test_words_that_are_no_text_are_kept_as_well_as_can_be(database: Database, tmp_path: Path) -> None:
    async with open_house(database, tmp_path) as house:
        async with database.write() as connection:
            _, (ida,) = await send_all(connection, [IDA])
        address = house.address_of(ida)
        raw = bounce(original_of(house.keys.ring, ida), IDA, address, "550 5.1.1 no such user HERE")
        await house.bring(address, raw.replace(b"HERE", b"=?utf-8?q?=00?= \xe9\xed\xa0\x80"))
        assert await status_of(house, ida.message_id) == MessageStatus.INVALID


async def test_a_mail_that_cannot_be_applied_is_set_aside_and_does_not_hold_up_the_others(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_house(database, tmp_path) as house:
        async with database.write() as connection:
            _, (ida, ove) = await send_all(connection, [IDA, OVE])
        poison = house.address_of(ida)
        await house.hand_over(poison, b"Subject: poison\r\n\r\n" + bounce(original("<x@y>", IDA), IDA, poison))
        _stumble_over(monkeypatch, b"poison")
        address = house.address_of(ove)
        await house.bring(address, bounce(original_of(house.keys.ring, ove), OVE, address))
        assert await status_of(house, ove.message_id) == MessageStatus.INVALID
        await house.inbound.run_until_idle()
        assert {kept["state"] for kept in await house.reports()} == {"unparseable", "applied"}
        assert not list((tmp_path / "spool" / "new").iterdir())


async def test_a_mail_that_cannot_even_be_kept_is_set_aside_as_a_file_and_the_operator_is_told(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_house(database, tmp_path) as house:
        async with database.write() as connection:
            _, (ida,) = await send_all(connection, [IDA])
        _stumble_over(monkeypatch, b"poison")
        monkeypatch.setattr(Bookkeeper, "keep_unapplied", _stumble)
        await house.hand_over(SENDER, b"Subject: poison\r\n\r\n", IDA)
        address = house.address_of(ida)
        await house.bring(address, bounce(original_of(house.keys.ring, ida), IDA, address))
        for _ in range(3):
            await house.inbound.run_until_idle()
        assert await status_of(house, ida.message_id) == MessageStatus.INVALID
        assert not list((tmp_path / "spool" / "new").iterdir())
        assert len(list((tmp_path / "spool" / "aside").iterdir())) == 1
        await house.inbound.keep_house()
        async with database.read() as connection:
            assert [told.kind for told in await operations.alerts(connection)] == ["spool"]


async def _stumble(*_: object) -> None:
    raise ZeroDivisionError


async def test_a_certificate_that_is_rubbish_keeps_no_returned_mail_away(database: Database, tmp_path: Path) -> None:
    rubbish = tmp_path / "cert.pem"
    rubbish.write_text("rubbish", encoding="ascii")
    async with open_house(database, tmp_path, receiving={"port": 0, "tls_certificate": str(rubbish)}) as house:
        await house.bring(SENDER, b"Subject: a\r\n\r\n", IDA)
        assert len(await house.reports()) == 1


def _stumble_over(monkeypatch: pytest.MonkeyPatch, word: bytes) -> None:
    """Let the applying of every batch that holds a word fail."""
    write_down = Bookkeeper.write_down

    async def stumble(self: Bookkeeper, mails: Sequence[Returned]) -> None:
        if any(word in one.mail.raw for one in mails):
            raise ZeroDivisionError
        await write_down(self, mails)

    monkeypatch.setattr(Bookkeeper, "write_down", stumble)


async def test_what_a_database_that_is_away_could_not_take_waits_in_the_spool(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_house(database, tmp_path) as house:
        async with database.write() as connection:
            _, (ida,) = await send_all(connection, [IDA])
        address = house.address_of(ida)
        with monkeypatch.context() as away:
            away.setattr(database, "write", _refuse)
            for _ in range(5):
                assert (await house.hand_over(address, bounce(b"\r\n\r\n", IDA, address))).startswith("250")
                with pytest.raises(ConnectionError):
                    await house.inbound.run_until_idle()
        await house.inbound.run_until_idle()
        assert {kept["state"] for kept in await house.reports()} == {"applied"}
        assert await status_of(house, ida.message_id) == MessageStatus.INVALID


def _refuse() -> None:
    raise ConnectionError("the database is away")


async def test_a_mail_of_more_than_the_parser_allows_is_kept_as_unparseable(database: Database, tmp_path: Path) -> None:
    async with open_house(database, tmp_path) as house:
        await house.bring(SENDER, b"X-Long: x\r\n" * 8_000 + b"\r\nHej\r\n", IDA)
        (kept,) = await house.reports()
        assert kept["state"] == "unparseable"
