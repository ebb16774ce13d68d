"""A town for the journey out: receivers by domain, the name server that knows them, and senders in this process."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import count

from cryptography.hazmat.primitives.asymmetric import ed25519

from config.settings import Settings, read_settings
from config.vocabulary import MessageStatus
from engine.clock import Clock, HandClock
from engine.keys import Keys
from engine.outbound import Outbound
from engine.return_path import KeyRing, Purpose, verify
from engine.sandbox.letters import field_of
from engine.sandbox.ports import bind_together
from engine.store import message_rows
from engine.store.database import Database
from engine.store.lanes import next_due
from engine.store.message_rows import Event, Message
from tests.fakes.dns import FakeDns
from tests.fakes.mx import FakeMx
from tests.store.association import Association, make_association, messages_of, queue_mailing

PROMPT = {"connect": 2, "banner": 2, "command": 2, "data": 2, "data_block": 2, "final_dot": 2}
"""Seconds to wait for each phase, short so that silence is soon known."""
HASTY = dict.fromkeys(PROMPT, 0.3)

_houses = count(1)


@cache
def town_keys() -> Keys:
    """The keys of every sender in the tests, the same in every process; Ed25519 signs in a tenth of the time."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(b"thirty-two bytes for the signing")
    return Keys(KeyRing((b"a ring of sixteen bytes or more",)), (("b1-ed", key),))


@dataclass(frozen=True, slots=True)
class Post:
    """A mailing that waits in the queue, and the association that sends it."""

    association: Association
    mailing_id: int


@dataclass(frozen=True, slots=True)
class Town:
    """Where the receivers of a test stand."""

    dns: FakeDns
    smtp_port: int

    def settings(self, **sections: Mapping[str, object]) -> Settings:
        """The settings of a sender that knows the town; `sections` change the rest."""
        town = {"dns_port": self.dns.port, "smtp_port": self.smtp_port}
        return read_settings(None, **{"sandbox": town, "timeouts": PROMPT, **sections})

    def sender(self, database: Database, clock: Clock, **sections: Mapping[str, object]) -> Outbound:
        return Outbound(self.settings(**sections), database, clock, town_keys())


@asynccontextmanager
async def open_town(receivers: Mapping[str, FakeMx], dns: FakeDns | None = None) -> AsyncIterator[Town]:
    """Open the receivers of some domains, each domain a site of its own; one receiver may stand for many domains."""
    names = dns or FakeDns()
    async with AsyncExitStack() as stack:
        port = await _open_receivers(stack, list({id(mx): mx for mx in receivers.values()}.values()))
        for domain, receiver in receivers.items():
            names.zone[domain] = {"MX": [f"10 mx.{domain}."]}
            names.zone[f"mx.{domain}"] = {"A": [receiver.address]}
        yield Town(await stack.enter_async_context(names), port)


async def _open_receivers(stack: AsyncExitStack, receivers: Sequence[FakeMx]) -> int:
    """Open every receiver at an address of its own and the port of all."""

    async def bind() -> int:
        port = 0
        async with AsyncExitStack() as tried:
            for receiver in receivers:
                house = next(_houses)
                receiver.address, receiver.port = f"127.77.{house // 250}.{house % 250 + 1}", port
                port = (await tried.enter_async_context(receiver)).port
            stack.push_async_callback(tried.pop_all().aclose)
        return port

    return await bind_together(bind)


async def queue_post(database: Database, emails: Sequence[str], now: datetime) -> Post:
    """An association with a confirmed card for each address, and its mailing to all of them."""
    async with database.write() as connection:
        association = await make_association(connection, emails, now)
        return Post(association, await queue_mailing(connection, association, now))


@asynccontextmanager
async def running(outbound: Outbound) -> AsyncIterator[None]:
    """A sender at work for the length of the block."""
    stop = asyncio.Event()
    task = asyncio.create_task(outbound.run_forever(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def live_until(outbound: Outbound, database: Database, clock: HandClock, until: datetime) -> None:
    """Let time pass, from one message that is due to the next."""
    await outbound.run_until_idle()
    while due := await _next_due(database, until):
        clock.leap_to(due)
        await outbound.run_until_idle()
    clock.leap_to(until)


async def _next_due(database: Database, until: datetime) -> datetime | None:
    async with database.read() as connection:
        due = await next_due(connection)
    return due if due and due <= until else None


async def messages(database: Database, post: Post) -> list[Message]:
    async with database.read() as connection:
        return await messages_of(connection, post.mailing_id)


async def statuses(database: Database, post: Post) -> Counter[MessageStatus]:
    """How many messages of a mailing stand where."""
    async with database.read() as connection:
        return Counter(await message_rows.counts(connection, post.mailing_id))


async def history(database: Database, message_id: int) -> list[Event]:
    async with database.read() as connection:
        return await message_rows.events_of(connection, message_id)


async def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Return once a condition holds, looked at again and again."""
    async with asyncio.timeout(seconds):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


async def wait_for_all(database: Database, post: Post, status: MessageStatus, seconds: float = 60.0) -> None:
    """Return once every message of a mailing stands in a status."""
    async with asyncio.timeout(seconds):
        while True:
            if set(await statuses(database, post)) == {status}:
                return
            await asyncio.sleep(0.05)


def taken(receiver: FakeMx, since: int = 0) -> list[int]:
    """The messages whose mail a receiver has read whole, in order, each as often as it came, without the first ones."""
    tokens = [field_of(mail, "X-Brevduva-Token") for mail in receiver.mails[since:]]
    numbers = [verify(town_keys().ring, Purpose.BOUNCE, token) for token in tokens]
    return [number for number in numbers if number is not None]
