"""Associations are told what happens to their mail: in order, at least once, only their own; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from admin_api.webhooks import Post
from config.settings import Settings, read_settings
from config.vocabulary import MessageStatus, Reason, Reply
from engine import telling
from engine.clock import HandClock
from engine.keys import Keys
from engine.return_path import KeyRing
from engine.store import messages, operations, webhooks
from engine.store.database import Database
from engine.store.messages import Move
from engine.store.tables import message_event
from engine.store.webhooks import Webhook
from engine.telling import Telling
from tests.fakes.hook import FakeHook, listening
from tests.journeys.returns import open_house
from tests.store.association import NOW, Association, make_association, messages_of, queue_mailing

BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"
KEYS = Keys(KeyRing((b"n" * 32, b"o" * 32)), ())


@dataclass
class Town:
    """Two associations whose programs want to be told, and who tells them."""

    database: Database
    settings: Settings
    clock: HandClock
    telling: Telling

    async def hook(self, url: str, association_id: int) -> Webhook:
        async with self.database.write() as connection:
            return await webhooks.add(connection, association_id, url, "salt", self.clock.now())

    async def association(self, members: int = 1) -> Association:
        async with self.database.write() as connection:
            return await make_association(connection, [f"ida{one}@example.org" for one in range(members)])

    async def send(self, sender: Association) -> int:
        """An event for each member: the message stands in the queue."""
        async with self.database.write() as connection:
            return await queue_mailing(connection, sender)

    async def tell(self) -> None:
        await self.telling.tell_due()
        await self.telling.finish()

    async def stands(self, hook: Webhook) -> Webhook:
        async with self.database.read() as connection:
            return await webhooks.get(connection, hook.association_id, hook.id)

    async def event_ids(self) -> list[int]:
        async with self.database.read() as connection:
            return list((await connection.execute(select(message_event.c.id).order_by(message_event.c.id))).scalars())

    def another(self) -> Telling:
        """Another process with the same work."""
        return Telling(self.settings, self.database, self.clock, KEYS)


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    settings, clock = read_settings(storage={"data_dir": tmp_path}), HandClock(NOW)
    town = Town(database, settings, clock, Telling(settings, database, clock, KEYS))
    yield town
    await town.telling.close()


async def test_everything_is_told_in_order_a_hundred_at_a_time_and_once(town: Town) -> None:
    club = await town.association(members=250)
    async with listening() as program:
        await town.hook(program.url, club.id)
        await town.send(club)
        await town.tell()
        await town.tell()
        assert [event["id"] for event in program.events] == await town.event_ids()
        assert len(program.posts) == 3
    for _, body in program.posts:
        Post.model_validate_json(body)
    first = program.events[0]
    assert (first["kind"], first["old"], first["new"], first["reason"]) == ("move", "none", "queued", "enqueued")


async def test_what_happened_before_is_not_told(town: Town) -> None:
    club = await town.association()
    await town.send(club)
    async with listening() as program:
        hook = await town.hook(program.url, club.id)
        await town.tell()
        assert not program.posts
        await town.send(club)
        await town.tell()
        assert len(program.events) == 1
    assert (await town.stands(hook)).told_event_id == 2


async def test_another_associations_events_are_passed_by(town: Town) -> None:
    club, other = await town.association(), await town.association(members=5)
    async with listening() as program, listening() as neighbour:
        await town.hook(program.url, club.id)
        await town.hook(neighbour.url, other.id)
        await town.send(other)
        await town.tell()
        assert (len(program.events), len(neighbour.events)) == (0, 5)
        await town.send(club)
        await town.tell()
        assert (len(program.events), len(neighbour.events)) == (1, 5)
        assert {event["mailing_id"] for event in program.events}.isdisjoint(
            event["mailing_id"] for event in neighbour.events
        )


async def test_the_receivers_words_are_told_without_the_members_address(town: Town) -> None:
    club = await town.association()
    async with listening() as program:
        await town.hook(program.url, club.id)
        mailing_id = await town.send(club)
        async with town.database.write() as connection:
            (ida,) = await messages_of(connection, mailing_id)
            reply = Reply(550, text="5.1.1 <Ida0@Example.org>: User unknown")
            moves = [
                Move(
                    ida.message_id,
                    MessageStatus.QUEUED,
                    MessageStatus.BOUNCED,
                    NOW,
                    Reason.USER_UNKNOWN,
                    reply=reply,
                )
            ]
            assert await messages.move(connection, moves)
        await town.tell()
    assert program.events[-1]["text"].endswith("<(address)>: User unknown")
    assert b"ida0" not in program.posts[-1][1].lower() and b"Berg" not in program.posts[-1][1]


async def test_what_is_not_taken_is_tried_again_after_a_rest(town: Town) -> None:
    club = await town.association(members=3)
    async with listening(BUSY) as program:
        hook = await town.hook(program.url, club.id)
        await town.send(club)
        await town.tell()
        stands = await town.stands(hook)
        assert (stands.failures, stands.why, stands.told_event_id) == (1, "503 busy", 0)
        await town.tell()
        assert len(program.posts) == 1
        town.clock.leap(60)
        await town.tell()
    (first, body), (second, again) = program.posts
    assert (first["webhook-id"], body) == (second["webhook-id"], again)
    assert (await town.stands(hook)).failures == 0


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n", b"nonsense\r\n"])
async def test_anything_but_a_yes_is_a_no(town: Town, answer: bytes) -> None:
    club = await town.association()
    async with listening(answer) as program:
        hook = await town.hook(program.url, club.id)
        await town.send(club)
        await town.tell()
    assert (await town.stands(hook)).failures == 1
    assert len(program.posts) == 1


async def test_an_endless_answer_is_not_read_to_its_end(town: Town) -> None:
    club = await town.association()
    endless = b"HTTP/1.1 500 Oh\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 5000
    async with listening(endless) as program:
        hook = await town.hook(program.url, club.id)
        await town.send(club)
        await town.tell()
    assert (await town.stands(hook)).why == "500 " + "x" * 200


async def test_after_five_days_it_is_paused_and_the_operator_is_told(town: Town) -> None:
    club = await town.association()
    hook = await town.hook("http://127.0.0.1:9/", club.id)
    await town.send(club)
    while (await town.stands(hook)).next_attempt_at is not None:
        await town.tell()
        town.clock.leap_to((await town.stands(hook)).next_attempt_at or town.clock.now())
    assert timedelta(days=4.5) < town.clock.now() - NOW <= timedelta(days=5)
    async with town.database.read() as connection:
        (told,) = await operations.alerts(connection)
    assert "127.0.0.1:9" in told.text
    town.clock.leap(86_400)
    assert await town.telling.tell_due() == 0


async def test_who_dies_between_the_answer_and_writing_it_down_tells_it_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    club = await town.association()
    save = webhooks.save

    async def die(connection: object, old: Webhook, new: Webhook) -> bool:
        if new.told_event_id != old.told_event_id:
            raise RuntimeError("killed")
        return await save(connection, old, new)  # type: ignore[arg-type]  # it is what it was called with

    async with listening() as program:
        await town.hook(program.url, club.id)
        await town.send(club)
        with monkeypatch.context() as patch:
            patch.setattr(webhooks, "save", die)
            await town.tell()
        await town.tell()
        assert len(program.posts) == 1, "the lease holds"
        town.clock.leap(61)
        await town.tell()
    assert [event["id"] for event in program.events] == [1, 1]


async def test_who_has_slept_past_the_lease_writes_nothing(town: Town) -> None:
    club = await town.association()
    hook = await town.hook("http://127.0.0.1:9/", club.id)
    booked = replace(hook, next_attempt_at=NOW + timedelta(minutes=1))
    taken_over = replace(hook, next_attempt_at=NOW + timedelta(minutes=3))
    async with town.database.write() as connection:
        assert await webhooks.save(connection, hook, booked)
        assert not await webhooks.save(connection, hook, booked), "two cannot book the same"
        assert await webhooks.save(connection, booked, taken_over)
        assert not await webhooks.save(connection, booked, replace(booked, told_event_id=7))
    assert await town.stands(hook) == taken_over


async def test_two_processes_tell_everything_once(town: Town) -> None:
    club = await town.association(members=10)
    async with listening() as program:
        await town.hook(program.url, club.id)
        await town.send(club)
        other = town.another()
        await asyncio.gather(town.telling.tell_due(), other.tell_due())
        await asyncio.gather(town.telling.finish(), other.finish())
    assert len(program.posts) == 1


async def test_who_does_not_answer_holds_up_nobody_else(town: Town) -> None:
    club, other = await town.association(), await town.association()
    async with listening(is_silent=True) as silent, listening() as program:
        await town.hook(silent.url, club.id)
        await town.hook(program.url, other.id)
        await town.send(club)
        for count in (1, 2):
            await town.send(other)
            await town.telling.tell_due()
            while len(program.events) < count:
                await asyncio.sleep(0.01)
        assert len(silent.posts) == 1


async def test_erased_events_leave_no_gap_that_hides_new_ones(town: Town) -> None:
    club = await town.association()
    async with listening() as program:
        await town.hook(program.url, club.id)
        await town.send(club)
        await town.tell()
        async with town.database.write() as connection:
            await connection.execute(delete(message_event))
        await town.send(club)
        await town.tell()
    assert [event["id"] for event in program.events] == [1, 2]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_an_event_that_appears_behind_a_newer_one_is_waited_for(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL, which gives numbers before the commit; on SQLite there is one writer at a time."""
    monkeypatch.setattr(telling, "_LOOKS", 1)
    club = await town.association()
    async with listening() as program:
        await town.hook(program.url, club.id)
        async with town.database.write() as slow:
            await queue_mailing(slow, club)
            await town.send(club)
            await town.tell()
            assert not program.posts
        await town.tell()
    assert [event["id"] for event in program.events] == [1, 2]


async def test_the_receiver_tells_while_it_runs(database: Database, tmp_path: Path) -> None:
    stop = asyncio.Event()
    async with listening() as program, open_house(database, tmp_path) as house:
        running = asyncio.create_task(house.inbound.run_forever(stop))
        async with database.write() as connection:
            club = await make_association(connection, ["ida@example.org"])
            await webhooks.add(connection, club.id, program.url, "salt", NOW)
            await queue_mailing(connection, club)
        await _until_told(program)
        stop.set()
        await running


async def _until_told(program: FakeHook) -> None:
    async with asyncio.timeout(20):
        while not program.posts:
            await asyncio.sleep(0.02)
