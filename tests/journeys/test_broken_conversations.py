"""Conversations that break at every possible place: nothing is lost, and only what nobody can know is sent twice."""

from __future__ import annotations

import ssl
from collections import Counter
from datetime import timedelta

import pytest

from config.vocabulary import MessageStatus, Reason
from engine.clock import HandClock, SystemClock
from engine.store.database import Database
from tests.fakes.mx import DROP, SILENCE, FakeMx
from tests.journeys.town import (
    HASTY,
    history,
    live_until,
    messages,
    open_town,
    queue_post,
    running,
    statuses,
    taken,
    wait_for_all,
)
from tests.store.association import NOW

MEMBERS = 12
CLOSING = b"421 4.3.2 Service shutting down\r\n"
OK = b"250 2.0.0 Ok\r\n"

TROUBLES: dict[str, dict[str, list[bytes]]] = {
    "421 instead of a greeting": {"BANNER": [CLOSING]},
    "421 to EHLO": {"EHLO": [CLOSING]},
    "421 to the third MAIL": {"MAIL": [OK, OK, CLOSING]},
    "421 to the third RCPT": {"RCPT": [OK, OK, CLOSING]},
    "421 to the third DATA": {"DATA": [b"354 Go on\r\n", b"354 Go on\r\n", CLOSING]},
    "421 to the third dot": {"DOT": [OK, OK, CLOSING]},
    "reset at once": {"BANNER": [DROP]},
    "reset at the third MAIL": {"MAIL": [OK, OK, DROP]},
    "reset at the third RCPT": {"RCPT": [OK, OK, DROP]},
    "reset at the third DATA": {"DATA": [b"354 Go on\r\n", b"354 Go on\r\n", DROP]},
    "silence instead of a greeting": {"BANNER": [SILENCE]},
    "silence after the third MAIL": {"MAIL": [OK, OK, SILENCE]},
    "silence after the third DATA": {"DATA": [b"354 Go on\r\n", b"354 Go on\r\n", SILENCE]},
    "nonsense": {"RCPT": [OK, b"hello?\r\n"]},
    "451 to everything once": {"MAIL": [b"451 4.3.0 Later\r\n"] * MEMBERS},
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_conversation_that_breaks_before_the_dot_is_answered_loses_nothing_and_repeats_nothing(
    database: Database, trouble: str
) -> None:
    clock, receiver = HandClock(NOW), FakeMx(script=TROUBLES[trouble])
    async with open_town({"skor.example": receiver}) as town:
        post = await queue_post(database, [f"m{n}@skor.example" for n in range(MEMBERS)], NOW)
        outbound = town.sender(database, clock, timeouts=HASTY)
        await live_until(outbound, database, clock, NOW + timedelta(hours=12))
        await outbound.close()
    assert await statuses(database, post) == {MessageStatus.SENT: MEMBERS}
    copies = Counter(taken(receiver))
    assert set(copies) == {one.message_id for one in await messages(database, post)}
    refused_after_the_dot = trouble == "421 to the third dot"
    assert copies.total() == MEMBERS + refused_after_the_dot


@pytest.mark.parametrize("ending", [DROP, SILENCE])
async def test_a_dot_that_is_never_answered_is_uncertain_and_the_same_mail_goes_again(
    database: Database, ending: bytes
) -> None:
    clock, receiver = HandClock(NOW), FakeMx(script={"DOT": [OK, ending]})
    async with open_town({"skor.example": receiver}) as town:
        post = await queue_post(database, [f"m{n}@skor.example" for n in range(3)], NOW)
        outbound = town.sender(database, clock, timeouts=HASTY)
        await outbound.run_until_idle()
        [doubtful] = [one for one in await messages(database, post) if one.status is MessageStatus.UNKNOWN]
        assert (await history(database, doubtful.message_id))[-1].reason is Reason.UNCERTAIN
        await live_until(outbound, database, clock, NOW + timedelta(hours=1))
        await outbound.close()
    assert await statuses(database, post) == {MessageStatus.SENT: 3}
    copies = [
        mail for mail, number in zip(receiver.mails, taken(receiver), strict=True) if number == doubtful.message_id
    ]
    assert len(copies) == 2
    assert copies[0] == copies[1]
    assert len(receiver.mails) == 4


async def test_where_the_operator_wants_it_a_doubtful_mail_waits_for_a_person(database: Database) -> None:
    clock, receiver = HandClock(NOW), FakeMx(script={"DOT": [DROP]})
    async with open_town({"skor.example": receiver}) as town:
        post = await queue_post(database, [f"m{n}@skor.example" for n in range(3)], NOW)
        outbound = town.sender(database, clock, sending={"uncertain": "hold"})
        await live_until(outbound, database, clock, NOW + timedelta(days=7))
        await outbound.close()
    assert await statuses(database, post) == {MessageStatus.SENT: 2, MessageStatus.UNKNOWN: 1}
    [doubtful] = [one for one in await messages(database, post) if one.status is MessageStatus.UNKNOWN]
    assert (doubtful.next_attempt_at, doubtful.lease) == (None, None)
    assert len(receiver.mails) == 3


async def test_tls_that_breaks_is_done_without_and_remembered(database: Database) -> None:
    """The receiver's TLS has no certificate to show, so that every handshake with it fails."""
    clock, receiver = HandClock(NOW), FakeMx(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    async with open_town({"skor.example": receiver}) as town:
        outbound = town.sender(database, clock)
        for round_number in range(3):
            post = await queue_post(database, [f"r{round_number}m{n}@skor.example" for n in range(5)], clock.now())
            await outbound.run_until_idle()
            assert await statuses(database, post) == {MessageStatus.SENT: 5}
            clock.leap(60)
        await outbound.close()
    assert receiver.commands.count("STARTTLS") == 1
    assert len(receiver.mails) == 15


@pytest.mark.slow
async def test_a_receiver_slower_than_the_lease_gets_every_mail_once(database: Database) -> None:
    clock, slow = SystemClock(), FakeMx(delay_seconds=0.9)
    async with open_town({"seg.example": slow}) as town:
        post = await queue_post(database, [f"m{n}@seg.example" for n in range(4)], clock.now())
        one, other = (town.sender(database, clock, sending={"lease_seconds": 3}) for _ in range(2))
        async with running(one), running(other):
            await wait_for_all(database, post, MessageStatus.SENT)
    assert len(taken(slow)) == len(set(taken(slow))) == 4
    for mail in await messages(database, post):
        assert MessageStatus.UNKNOWN not in [event.new for event in await history(database, mail.message_id)]
