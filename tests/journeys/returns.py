"""What comes back, in the tests: messages that were sent, a receiver that stands, and the mails that reach it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from config.settings import Settings, read_settings
from config.vocabulary import Action, Fault, Reason, Reply, Verdict, VerdictStatus
from engine.clock import Clock, HandClock
from engine.inbound import Inbound
from engine.keys import Keys, load_keys
from engine.outcome.apply import AttemptOutcome, apply_attempts
from engine.outcome.decide import Policy
from engine.queue.retry_schedule import next_attempt
from engine.return_path import KeyRing, Purpose, return_path, sign
from engine.sandbox.reports import Occasion, delivery_report
from engine.store.database import Connection, Database
from engine.store.lanes import lanes
from engine.store.message_rows import Message
from engine.store.queue import Want, claim
from engine.store.tables import report, suppression
from tests.listen.callers import calling
from tests.store.association import NOW, Association, make_association, messages_of, queue_mailing

BOUNCE_DOMAIN = "retur.brevduva.example"
SENDER = "utskick@brevduva.example"
GONE = "550 5.1.1 <{}>: Recipient address rejected: User unknown"
TAKEN = Verdict(VerdictStatus.DELIVERED, Reason.ACCEPTED, Fault.NONE, Action.NONE)


@dataclass(frozen=True, slots=True)
class House:
    """A receiver that stands: what it works with, and its port."""

    settings: Settings
    database: Database
    clock: Clock
    keys: Keys
    inbound: Inbound
    port: int

    def address_of(self, message: Message) -> str:
        return return_path(self.keys.ring, message.message_id, BOUNCE_DOMAIN)

    async def hand_over(self, recipient: str, raw: bytes, sender: str = "") -> str:
        """Bring one mail over SMTP; returns the last reply."""
        async with calling(self.port) as caller:
            return await caller.hand_over(recipient, raw.replace(b"\r\n.", b"\r\n.."), sender)

    async def bring(self, recipient: str, raw: bytes, sender: str = "") -> None:
        """Bring a mail that must be taken, and let everything that waits be worked off."""
        reply = await self.hand_over(recipient, raw, sender)
        assert reply.startswith("250"), reply
        await self.inbound.run_until_idle()

    async def reports(self) -> list[Mapping[str, Any]]:
        async with self.database.read() as connection:
            rows = await connection.execute(select(report).order_by(report.c.id))
            return [dict(row) for row in rows.mappings()]

    async def suppressed(self) -> set[str]:
        async with self.database.read() as connection:
            query = select(suppression.c.address_key).where(suppression.c.lifted_at.is_(None))
            return set((await connection.execute(query)).scalars())


@asynccontextmanager
async def open_house(database: Database, folder: Path, clock: Clock | None = None, **more: Any) -> AsyncIterator[House]:
    """A receiver on a port of the system's choosing; it closes with the block."""
    settings = read_settings(**{"receiving": {"port": 0}, "storage": {"data_dir": folder}, **more})
    keys, clock = load_keys(settings), clock or HandClock(NOW + timedelta(hours=1))
    inbound = Inbound(settings, database, clock, keys)
    try:
        yield House(settings, database, clock, keys, inbound, await inbound.start())
    finally:
        await inbound.close()


async def send_all(
    connection: Connection, emails: Sequence[str], now: datetime = NOW
) -> tuple[Association, list[Message]]:
    """A mailing of which every message was taken by its receiver."""
    sender = await make_association(connection, emails, now)
    mailing_id = await queue_mailing(connection, sender, now)
    due = await lanes(connection, now)
    wants = [Want(lane.domain, lane.mailing_id, len(emails)) for lane in due if lane.mailing_id == mailing_id]
    jobs = await claim(connection, wants, "mine", now, now + timedelta(minutes=15))
    taken = [AttemptOutcome(job, TAKEN, Reply(250, text="Ok"), "mx", "", False, None, now) for job in jobs]
    await apply_attempts(connection, taken, now, Policy(next_attempt))
    return sender, await messages_of(connection, mailing_id)


def original_of(ring: KeyRing, message: Message) -> bytes:
    """The head of our own mail, as a receiver returns it."""
    token = sign(ring, Purpose.BOUNCE, message.message_id)
    return original(f"<{token}@{BOUNCE_DOMAIN}>", message.email, token)


def original(message_id: str, recipient: str, token: str = "") -> bytes:
    fields = f"From: Siv via Forening <{SENDER}>\r\nTo: <{recipient}>\r\nSubject: Hej\r\nMessage-ID: {message_id}\r\n"
    return (fields + (f"X-Brevduva-Token: {token}\r\n" if token else "") + "\r\nHej\r\n").encode()


def bounce(original_mail: bytes, recipient: str, answer_to: str, words: str = GONE, at: datetime = NOW) -> bytes:
    """A delivery report that says that a mail failed for good."""
    occasion = Occasion(original_mail, recipient, "mx.example.org", at, answer_to)
    return delivery_report(occasion, "failed", "5.1.1", words.format(recipient))
