"""A report that no valid token vouches for changes nothing, whatever it looks like; on both databases."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from config.vocabulary import AddressStatus, MessageStatus
from engine.return_path import KeyRing, Purpose, return_path, sign
from engine.sandbox.reports import Occasion, feedback_report
from engine.store.database import Database
from engine.store.message_rows import Message, events_of, get_many
from tests.journeys.conftest import Tell
from tests.journeys.returns import BOUNCE_DOMAIN, SENDER, House, bounce, open_house, original, original_of, send_all
from tests.listen.callers import SOAK, calling
from tests.store.association import NOW, card_status

FORGERIES = 5000 if SOAK else 200
CALLERS = 6
MAILS_A_CALL = 15
VICTIMS = 40
FORGER = KeyRing((b"the key of a forger, not of ours",))


@dataclass
class Town:
    """Members whose mail was taken, some of them so long ago that nothing about it is believed any more."""

    ring: KeyRing
    fresh: list[Message]
    old: list[Message]
    dice: random.Random = field(default_factory=lambda: random.Random(17))

    def victim(self) -> Message:
        return self.dice.choice(self.fresh)


Forgery = Callable[[Town], tuple[str, bytes]]
"""Makes a mail and the address it is sent to."""


def no_token(town: Town) -> tuple[str, bytes]:
    victim = town.victim()
    address = town.dice.choice([SENDER, f"postmaster@{BOUNCE_DOMAIN}", f"feedback@{BOUNCE_DOMAIN}"])
    return address, bounce(original("<no@token.example>", victim.email), victim.email, address)


def wrong_key(town: Town) -> tuple[str, bytes]:
    victim = town.victim()
    address = town.dice.choice(
        [SENDER, f"abuse@{BOUNCE_DOMAIN}", return_path(FORGER, victim.message_id, BOUNCE_DOMAIN)]
    )
    return address, bounce(original_of(FORGER, victim), victim.email, address)


def token_of_another_message(town: Town) -> tuple[str, bytes]:
    """The number of the victim's message with the MAC of another's."""
    victim, other = town.dice.sample(town.fresh, 2)
    number = sign(town.ring, Purpose.BOUNCE, victim.message_id).partition(".")[0]
    token = f"{number}.{sign(town.ring, Purpose.BOUNCE, other.message_id).partition('.')[2]}"
    ours = original(f"<{token}@{BOUNCE_DOMAIN}>", victim.email, token)
    return SENDER, bounce(ours, victim.email, SENDER)


def token_for_something_else(town: Town) -> tuple[str, bytes]:
    """The links of a mail, used as if they were its return path."""
    victim = town.victim()
    purpose = town.dice.choice([Purpose.UNSUBSCRIBE, Purpose.CONFIRM])
    token = sign(town.ring, purpose, victim.message_id)
    return SENDER, bounce(original(f"<{token}@{BOUNCE_DOMAIN}>", victim.email, token), victim.email, SENDER)


def expired_token(town: Town) -> tuple[str, bytes]:
    old = town.dice.choice(town.old)
    address = return_path(town.ring, old.message_id, BOUNCE_DOMAIN)
    return address, bounce(original_of(town.ring, old), old.email, address, f"550 5.1.1 {town.dice.random()}")


def other_recipients(town: Town) -> tuple[str, bytes]:
    """A valid token in a report about two others, whom it would strike."""
    mine, *victims = town.dice.sample(town.fresh, 3)
    address = return_path(town.ring, mine.message_id, BOUNCE_DOMAIN)
    report = bounce(original_of(town.ring, mine), victims[0].email, address)
    second = f"\r\nFinal-Recipient: rfc822; {victims[1].email}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    return address, report.replace(b"User unknown\r\n", b"User unknown\r\n" + second.encode(), 1)


def forged_complaint(town: Town) -> tuple[str, bytes]:
    victim = town.victim()
    ring = town.dice.choice([FORGER, None])
    ours = original_of(ring, victim) if ring else original("<no@token.example>", victim.email)
    address = f"feedback@{BOUNCE_DOMAIN}"
    return address, feedback_report(Occasion(ours, victim.email, "mx.example.org", NOW, address))


def auto_reply_in_the_dress_of_a_report(town: Town) -> tuple[str, bytes]:
    """A member who is away, in a multipart/report, at the signed return path: it says nothing of the address."""
    victim = town.victim()
    address = return_path(town.ring, victim.message_id, BOUNCE_DOMAIN)
    return address, (
        f"From: <{victim.email}>\r\nTo: <{address}>\r\nSubject: Out of office {town.dice.random()}\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\n"
        "I am out of the office until Monday and will answer your mail then.\r\n--b--\r\n"
    ).encode()


FORGERS: tuple[Forgery, ...] = (
    no_token,
    wrong_key,
    token_of_another_message,
    token_for_something_else,
    expired_token,
    other_recipients,
    forged_complaint,
    auto_reply_in_the_dress_of_a_report,
)


def forge(town: Town, count: int) -> Iterator[tuple[str, bytes]]:
    for number in range(count):
        address, raw = FORGERS[number % len(FORGERS)](town)
        yield address, b"X-Number: %d\r\n" % number + raw


async def hand_over_all(port: int, mails: list[tuple[str, bytes]]) -> int:
    """Hand mails over from several callers; returns how many were refused at RCPT."""
    calls = [mails[start : start + MAILS_A_CALL] for start in range(0, len(mails), MAILS_A_CALL)]
    turns = asyncio.Semaphore(CALLERS)

    async def hand_over_some(some: list[tuple[str, bytes]]) -> int:
        refused = 0
        async with turns, calling(port) as caller:
            for address, raw in some:
                reply = await caller.hand_over(address, raw, "forger@elsewhere.example")
                if reply.startswith("550"):
                    refused += 1
                    await caller.say("RSET")
        return refused

    return sum(await asyncio.gather(*map(hand_over_some, calls)))


async def build_town(database: Database, house: House) -> Town:
    people = [f"medlem{number}@post{number % 3}.example" for number in range(VICTIMS)]
    async with database.write() as connection:
        _, fresh = await send_all(connection, people)
        _, old = await send_all(connection, [f"gammal-{one}" for one in people[:10]], NOW - timedelta(days=31))
    return Town(house.keys.ring, fresh, old)


@pytest.mark.slow
async def test_no_forged_report_suppresses_anybody(database: Database, tmp_path: Path, tell: Tell) -> None:
    async with open_house(database, tmp_path) as house:
        town = await build_town(database, house)
        refused = await hand_over_all(house.port, list(forge(town, FORGERIES)))
        await house.inbound.run_until_idle()
        kept = await house.reports()
        assert len(kept) + refused == FORGERIES
        assert await house.suppressed() == set()
        await _assert_unharmed(database, [*town.fresh, *town.old])
    tell(f"{FORGERIES} forged reports: {refused} refused at RCPT, {len(kept)} kept; suppressed 0")


async def _assert_unharmed(database: Database, messages: list[Message]) -> None:
    async with database.read() as connection:
        now = await get_many(connection, [one.message_id for one in messages])
        assert {one.status for one in now.values()} == {MessageStatus.SENT}
        cards = {await card_status(connection, one.card_id) for one in messages}
        assert cards == {AddressStatus.CONFIRMED}


async def test_a_report_sent_again_with_other_bytes_strikes_once(database: Database, tmp_path: Path) -> None:
    """A replay: the token is valid, the mail says what was known already."""
    async with open_house(database, tmp_path) as house:
        async with database.write() as connection:
            _, (ida,) = await send_all(connection, ["ida@example.org"])
        address, ours = house.address_of(ida), original_of(house.keys.ring, ida)
        for number in range(5):
            words = f"552 5.2.2 Mailbox full ({number})"
            await house.bring(address, bounce(ours, ida.email, address, words))
        async with database.read() as connection:
            events = await events_of(connection, ida.message_id)
        assert [event.new for event in events if event.report_id].count(MessageStatus.SOFT_BOUNCED) == 5
        assert [event.old for event in events if event.report_id].count(MessageStatus.SENT) == 1
        assert await house.suppressed() == set()


async def test_a_member_who_names_another_in_a_report_about_their_own_mail_harms_only_themselves(
    database: Database, tmp_path: Path
) -> None:
    async with open_house(database, tmp_path) as house:
        async with database.write() as connection:
            _, (forger, victim) = await send_all(connection, ["forger@example.org", "ida@example.org"])
        address = house.address_of(forger)
        await house.bring(address, bounce(original_of(house.keys.ring, forger), victim.email, address))
        assert victim.email not in await house.suppressed()
        async with database.read() as connection:
            assert (await get_many(connection, [victim.message_id]))[victim.message_id].status is MessageStatus.SENT
