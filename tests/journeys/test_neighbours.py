"""Nobody's mail waits for somebody else's: not behind a big mailing, not behind receivers that are slow."""

from __future__ import annotations

import os
from time import monotonic

import pytest

from config.vocabulary import MessageStatus
from engine.clock import SystemClock
from engine.shape.traffic import MOST_UNDER_WAY
from engine.store.database import Database
from tests.fakes.mx import SILENCE, FakeMx
from tests.journeys.conftest import Tell
from tests.journeys.town import (
    messages,
    open_town,
    queue_post,
    running,
    statuses,
    taken,
    wait_for,
    wait_for_all,
)

IS_LONG = os.environ.get("BREVDUVA_SOAK") == "1"
MANY = 100_000 if IS_LONG else 10_000
FEW = 50
TO_A_FEW = "RCPT TO:<k"
"""How a receiver hears of their mails: to read every mail again and again would delay them."""
MOST_BEFORE = 2 * MOST_UNDER_WAY
"""What is under way when they come, and as much again: from then on they share evenly."""
TARPITS = 200 if IS_LONG else 40
TO_EACH_PIT = 60
HEALTHY = 20
TO_THE_HEALTHY = 10_000 if IS_LONG else 2000


@pytest.mark.slow
@pytest.mark.parametrize("domains", [1, 50])
async def test_a_big_mailing_does_not_delay_a_small_one(database: Database, domains: int, tell: Tell) -> None:
    clock, receiver = SystemClock(), FakeMx()
    sites = [f"ort{number}.example" for number in range(domains)]
    async with open_town(dict.fromkeys(sites, receiver)) as town:
        await queue_post(database, [f"m{n}@{sites[n % domains]}" for n in range(MANY)], clock.now())
        async with running(town.sender(database, clock)):
            await wait_for(lambda: len(receiver.mails) >= 1000)
            small = await queue_post(database, [f"k{n}@{sites[n % domains]}" for n in range(FEW)], clock.now())
            before, began = len(receiver.mails), monotonic()
            numbers = {message.message_id for message in await messages(database, small)}
            await wait_for(lambda: sum(line.startswith(TO_A_FEW) for line in receiver.recipients[before:]) >= FEW)
            await wait_for(lambda: numbers <= set(taken(receiver, before)))
            seconds = monotonic() - began
            others = max(place for place, number in enumerate(taken(receiver, before)) if number in numbers) - FEW
    tell(f"{FEW} of another association, {domains} site(s): {seconds:.2f} s, {others} mails of {MANY} before")
    assert others <= MOST_BEFORE
    assert not IS_LONG or seconds < 5


@pytest.mark.slow
async def test_tarpits_do_not_delay_the_healthy(database: Database, tell: Tell) -> None:
    alone = await _seconds_to_the_healthy(database, tarpits=0)
    among = await _seconds_to_the_healthy(database, tarpits=TARPITS)
    tell(f"{TARPITS} tarpits: 95 % of healthy mail in {among:.2f} s against {alone:.2f} s, {among / alone:.2f} times")
    assert not IS_LONG or among < alone * 1.5


async def _seconds_to_the_healthy(database: Database, tarpits: int) -> float:
    """When 95 % of the mails to healthy receivers are there, with most of the tarpits' still to come; none is lost."""
    clock, healthy = SystemClock(), FakeMx()
    pits = [FakeMx(delay_seconds=0.5), FakeMx(always={"DOT": SILENCE}), FakeMx(always={"BANNER": SILENCE})]
    good = [f"frisk{number}.example" for number in range(HEALTHY)]
    bad = {f"seg{number}.example": pits[number % 3] for number in range(tarpits)}
    async with open_town({**dict.fromkeys(good, healthy), **bad}) as town:
        stuck = await queue_post(
            database, [f"m{n}@{domain}" for domain in bad for n in range(TO_EACH_PIT)], clock.now()
        )
        async with running(town.sender(database, clock)):
            await wait_for(lambda: sum(pit.connections for pit in pits) >= tarpits)
            post = await queue_post(database, [f"m{n}@{good[n % HEALTHY]}" for n in range(TO_THE_HEALTHY)], clock.now())
            began = monotonic()
            await wait_for(lambda: len(healthy.mails) >= TO_THE_HEALTHY * 0.95, 120)
            seconds = monotonic() - began
            assert (await statuses(database, stuck))[MessageStatus.QUEUED] >= tarpits * TO_EACH_PIT // 2
            await wait_for_all(database, post, MessageStatus.SENT, 240)
        assert (await statuses(database, stuck)).total() == tarpits * TO_EACH_PIT
        assert set(await statuses(database, stuck)) <= {
            MessageStatus.SENT,
            MessageStatus.DEFERRED,
            MessageStatus.SOFT_BOUNCED,
            MessageStatus.UNKNOWN,
            MessageStatus.QUEUED,
        }
        assert [message for message in await messages(database, stuck) if message.lease] == []
    return seconds
