"""What each character answers to a plain client, and what the receiving side's log says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.vocabulary import AddressStatus, MessageStatus
from engine.clock import HandClock
from engine.sandbox.characters import BY_NAME, CHARACTERS, Character
from engine.sandbox.habits import Habit
from engine.sandbox.mailboxes import Mailboxes
from engine.sandbox.mx import Exchangers
from engine.sandbox.receiver_log import Receipt, ReceiverLog, read_receipts
from engine.sandbox.sites import ALIAS, KOMMUNPOST, NORRPOST, all_hosts, site_of_domain, zones
from engine.sandbox.smtp_dialogue import IncomingMail
from tests.sandbox.client import PlainClient

START = datetime(2026, 1, 12, 8, tzinfo=UTC)
LETTER = b"Message-ID: <1.a@us.example>\r\nX-Brevduva-Token: 1.a\r\nSubject: Hej\r\n\r\nHej!\r\n"
DAY = 86_400


class Box:
    """The mailboxes, their clock, their log, and what they took."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock(START)
        self.log = ReceiverLog(folder / "receipts.jsonl")
        self.taken: list[tuple[IncomingMail, Habit]] = []
        self.mailboxes = Mailboxes(
            self.clock, self._find, self.log, lambda mail, habit: self.taken.append((mail, habit))
        )
        self.servers = Exchangers(all_hosts(), self.mailboxes)
        self.port = 0

    @staticmethod
    def _find(address: str) -> Character | None:
        return BY_NAME.get(address.partition("@")[0])

    @property
    def receipts(self) -> list[Receipt]:
        return read_receipts(self.log.path)

    async def try_mail(self, character: str, sender: str = "b+1@us.example") -> str:
        """Send one mail to the character from a new connection and return the last answer."""
        domain = BY_NAME[character].domains[0]
        host = next(host for host in site_of_domain()[domain].hosts if host.is_up)
        client = await PlainClient.connect(host.address, self.port)
        await client.hear()
        await client.say("EHLO us.example")
        answer = await client.deliver(sender, f"{character}@{domain}", LETTER)
        await client.close()
        return answer[:9].rstrip()


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    box = Box(tmp_path)
    box.port = await box.servers.start()
    yield box
    await box.servers.stop()
    box.log.close()


REACHABLE = [character.name for character in CHARACTERS if character.domains[0] in site_of_domain()]


@pytest.mark.parametrize(
    "name", [name for name in REACHABLE if name not in ("is_unknown", "greylists", "is_malformed")]
)
async def test_before_they_turn_nearly_all_accept(box: Box, name: str) -> None:
    assert await box.try_mail(name) == "250 2.0.0"
    assert len(box.taken) == 1


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("reads", "250 2.0.0"),
        ("greylists", "451 4.7.1"),
        ("is_unknown", "550 5.1.1"),
        ("is_deleted", "550 5.1.1"),
        ("is_closed", "550 5.2.1"),
        ("is_full_for_two_days", "452 4.2.2"),
        ("is_full_for_ever", "452 4.2.2"),
        ("is_behind_a_blocklist", "550 5.7.1"),
        ("bounces_later_as_full", "250 2.0.0"),
        ("drops_and_keeps", ""),
        ("drops_and_loses", ""),
    ],
)
async def test_after_they_have_turned_each_has_its_answer(box: Box, name: str, answer: str) -> None:
    box.mailboxes.turn_all()
    assert await box.try_mail(name) == answer


async def test_one_mailbox_can_turn_alone(box: Box) -> None:
    box.mailboxes.turn("Is_Closed@Norrpost.example")
    assert await box.try_mail("is_closed") == "550 5.2.1"
    assert await box.try_mail("is_deleted") == "250 2.0.0"


async def test_greylisting_ends_after_five_minutes_and_for_that_mail_only(box: Box) -> None:
    await box.try_mail("greylists")
    box.clock.leap(5 * 60)
    assert await box.try_mail("greylists") == "250 2.0.0"
    assert await box.try_mail("greylists", "b+2@us.example") == "451 4.7.1"


async def test_a_mailbox_full_for_two_days_has_room_on_the_third(box: Box) -> None:
    box.mailboxes.turn_all()
    answers = []
    for _ in range(3):
        answers.append(await box.try_mail("is_full_for_two_days"))
        box.clock.leap(DAY)
    assert answers == ["452 4.2.2", "452 4.2.2", "250 2.0.0"]


async def test_a_rationing_site_takes_twenty_and_then_no_more_for_ten_minutes(box: Box) -> None:
    answers = [await box.try_mail("is_rationed") for _ in range(21)]
    assert answers == ["250 2.0.0"] * 20 + ["421 4.7.0"]
    box.clock.leap(600)
    assert await box.try_mail("is_rationed") == "250 2.0.0"


async def test_a_dropper_answers_the_second_time_and_the_log_tells_both(box: Box) -> None:
    box.mailboxes.turn_all()
    for name in ("drops_and_keeps", "drops_and_loses"):
        assert await box.try_mail(name, f"{name}@us.example") == ""
        assert await box.try_mail(name, f"{name}@us.example") == "250 2.0.0"
    told = [(receipt.is_answered, receipt.is_kept) for receipt in box.receipts]
    assert told == [(False, True), (True, True), (False, False), (True, True)]


async def test_the_log_says_what_was_received_and_when(box: Box) -> None:
    await box.try_mail("reads")
    [receipt] = box.receipts
    assert receipt.at == START
    assert (receipt.host, receipt.recipient) == ("mx1.norrpost.example", "reads@norrpost.example")
    assert (receipt.message_id, receipt.token, receipt.size_bytes) == ("<1.a@us.example>", "1.a", len(LETTER))
    assert receipt.is_tidy


async def test_a_line_that_a_crash_cut_short_does_not_count(box: Box) -> None:
    await box.try_mail("reads")
    with box.log.path.open("ab") as file:
        file.write(b'{"at": "2026')
    assert len(box.receipts) == 1


async def test_a_host_takes_no_mail_for_the_domains_of_others(box: Box) -> None:
    answer = box.mailboxes.hear(KOMMUNPOST.hosts[0], "b@us.example", "reads@norrpost.example")
    assert answer.line.startswith("554 5.7.1")
    assert box.mailboxes.hear(NORRPOST.hosts[0], "b@us.example", f"reads@{ALIAS}").is_positive


async def test_nobody_lives_at_other_addresses(box: Box) -> None:
    assert box.mailboxes.hear(NORRPOST.hosts[0], "b@us.example", "ingen@norrpost.example").line.startswith("550 5.1.1")


async def test_a_silent_site_is_silent_only_once_it_has_turned(box: Box) -> None:
    host = site_of_domain()["tystpost.example"].hosts[0]
    assert box.mailboxes.greet(host).is_positive
    box.mailboxes.turn_all()
    assert box.mailboxes.greet(host).line == ""


def test_every_status_is_somebodys_end_or_on_somebodys_way() -> None:
    fates = [fate for character in CHARACTERS for fate in (character.expected.confirmation, character.expected.mailing)]
    elsewhere = [character.elsewhere.mailing for character in CHARACTERS if character.elsewhere]
    seen = {status for fate in (*fates, *elsewhere) if fate for status in (fate.end, *fate.on_the_way)}
    by_the_way = {MessageStatus.NONE, MessageStatus.QUEUED}
    assert seen | by_the_way == set(MessageStatus) - {MessageStatus.OPENED, MessageStatus.CLICKED}


def test_every_address_status_is_somebodys_end() -> None:
    ends = [expected for character in CHARACTERS for expected in (character.expected, character.elsewhere) if expected]
    assert {expected.card for expected in ends} == set(AddressStatus)


def test_every_character_lives_where_the_name_server_says() -> None:
    known = zones()
    assert all(domain in known or domain == "hemdator.example" for one in CHARACTERS for domain in one.domains)
