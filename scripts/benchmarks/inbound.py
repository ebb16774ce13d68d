"""Reports a second that come in over SMTP, are synced, read, kept and applied by the receive role, on SQLite."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvloop
from sqlalchemy import select

from config.settings import Settings, read_settings
from config.vocabulary import (
    Action,
    AddressStatus,
    BodyFormat,
    Fault,
    MailingKind,
    MailingState,
    Reason,
    Reply,
    Verdict,
    VerdictStatus,
)
from engine.keys import load_keys
from engine.outcome.apply import AttemptOutcome, apply_attempts
from engine.outcome.decide import Policy
from engine.queue.retry_schedule import next_attempt
from engine.return_path import KeyRing, Purpose, return_path, sign
from engine.sandbox.reports import Occasion, delivery_report
from engine.store import associations, cards, mailings, messages, offices, users
from engine.store.card_status import turn_where
from engine.store.cards import Content
from engine.store.database import Database
from engine.store.migrate import migrate
from engine.store.queue import Want, claim
from engine.store.tables import card
from scripts.benchmarks._folder import FOLDER, fresh_folder
from scripts.benchmarks.inbound_listener import hear, say

DOMAINS = 40
CONNECTIONS = 16
MAILS_A_SESSION = 40
TAKEN = Verdict(VerdictStatus.DELIVERED, Reason.ACCEPTED, Fault.NONE, Action.NONE)
WORDS = (
    "550 5.1.1 <{}>: Recipient address rejected: User unknown in local recipient table",
    "550 5.1.1 <{}>: Recipient address rejected: User unknown in local recipient table",
    "552 5.2.2 <{}>: Mailbox full, try again when the member has made room",
    "550 5.7.1 Message from {} blocked: our reputation database knows your address",
)


def main() -> None:
    """Print the rate, the processes' peak memory and what was lost."""
    parser = argparse.ArgumentParser(prog="scripts/bench inbound", description=__doc__)
    parser.add_argument("--reports", type=int, default=5_000)
    parser.add_argument("--folder", default=FOLDER, help="where spool and database lie: its disk is the one measured")
    options = parser.parse_args()
    with fresh_folder(Path(options.folder)) as folder:
        uvloop.run(measure(folder, options.reports))


async def measure(folder: Path, count: int) -> None:
    settings = read_settings(storage={"data_dir": folder, "database_url": ""}, receiving={"port": free_port()})
    database = Database(settings.storage.url)
    await migrate(database)
    numbers = await send_mailing(database, count)
    await database.close()
    ring = load_keys(settings).ring
    mails = [report_about(number, ring, settings) for number in numbers]
    process = await start(settings)
    try:
        done = asyncio.Event()
        watch = asyncio.create_task(watch_memory(process.pid, done))
        began = time.perf_counter()
        await hand_over_all(settings.receiving.port, mails)
        received = time.perf_counter() - began
        await wait_until_applied(folder / "brevduva.db", count)
        seconds = time.perf_counter() - began
        done.set()
        peak_mib = await watch
        process.send_signal(signal.SIGTERM)
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
    moved = how_many(folder / "brevduva.db", "SELECT count(*) FROM message WHERE status != 'sent'")
    print(f"{count / received:7,.0f} reports/s received and synced")
    print(f"{count / seconds:7,.0f} reports/s received, synced, read, kept and applied ({count} in {seconds:.1f} s)")
    print(f"{peak_mib:7,.0f} MiB resident at most, parser included; {moved} messages moved, lost 0")


async def send_mailing(database: Database, count: int) -> list[int]:
    """A mailing to so many members, taken by every receiver; returns the messages."""
    now = datetime.now(UTC)
    async with database.write() as connection:
        club = await associations.create(connection, "Klubben", "klubben", [], now)
        office = await offices.create(connection, club.id, "Kansliet", now)
        user = await users.create(connection, club.id, name="Siv", email="siv@example.org", password_hash=None, now=now)
        people = [f"member{number}@site{number % DOMAINS}.example" for number in range(count)]
        await cards.add(connection, club.id, [Content("Ida", "Berg", email, email) for email in people], now)
        await turn_where(connection, card.c.association_id == club.id, AddressStatus.CONFIRMED, now)
        words = await mailings.sender_of(connection, club.id, office.id, user.id)
        made = await mailings.create(
            connection,
            club.id,
            office.id,
            user.id,
            kind=MailingKind.MAILING,
            subject="Hej",
            body="Hej",
            body_format=BodyFormat.PLAIN,
            sender=words,
            now=now,
        )
        await mailings.turn(connection, made.id, [MailingState.DRAFT], MailingState.SENDING)
        await messages.enqueue(connection, made.id, select(card), now)
        wants = [Want(f"site{number}.example", made.id, count) for number in range(DOMAINS)]
        jobs = await claim(connection, wants, "bench", now, now + timedelta(minutes=15))
        taken = [AttemptOutcome(job, TAKEN, Reply(250), "mx", "", False, None, now) for job in jobs]
        await apply_attempts(connection, taken, now, Policy(next_attempt))
    return [job.message_id for job in jobs]


def report_about(number: int, ring: KeyRing, settings: Settings) -> tuple[str, bytes]:
    """Where a report about a message goes, and the report: some six kilobytes, as Postfix sends them."""
    domain, token = settings.sending.bounce_domain, sign(ring, Purpose.BOUNCE, number)
    address, member = return_path(ring, number, domain), f"member{number}@site{number % DOMAINS}.example"
    filler = "".join(f"X-Filler-{line}: {'x' * 60}\r\n" for line in range(60))
    head = f"From: Siv <siv@example.org>\r\nTo: {member}\r\nMessage-ID: <{token}@{domain}>\r\n{filler}\r\n".encode()
    occasion = Occasion(head, member, "mx.example.org", datetime.now(UTC), address)
    return address, delivery_report(occasion, "failed", "5.0.0", WORDS[number % len(WORDS)].format(member))


def free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def start(settings: Settings) -> asyncio.subprocess.Process:
    """The role as the service runs it; returns once it listens."""
    environment = {
        "BREVDUVA_STORAGE__DATA_DIR": str(settings.storage.data_dir),
        "BREVDUVA_RECEIVING__PORT": str(settings.receiving.port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "engine.inbound", env={**os.environ, **environment}, stderr=asyncio.subprocess.DEVNULL
    )
    while process.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", settings.receiving.port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return process
    raise SystemExit("the receive role did not start")


async def hand_over_all(port: int, mails: Sequence[tuple[str, bytes]]) -> None:
    """Hand over every report, some a session, from two addresses: one may hold ten sessions."""
    waiting = list(mails)
    await asyncio.gather(*(hand_over(port, waiting, f"127.0.0.{2 + n % 2}") for n in range(CONNECTIONS)))


async def hand_over(port: int, waiting: list[tuple[str, bytes]], source: str) -> None:
    while waiting:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
        await hear(reader)
        await say(reader, writer, b"EHLO mx.example.org\r\n")
        for _ in range(min(MAILS_A_SESSION, len(waiting))):
            if not waiting:
                break
            address, mail = waiting.pop()
            for command in ("MAIL FROM:<>", f"RCPT TO:<{address}>", "DATA"):
                await say(reader, writer, f"{command}\r\n".encode())
            await say(reader, writer, mail + b".\r\n")
        await say(reader, writer, b"QUIT\r\n")
        writer.close()


async def wait_until_applied(path: Path, count: int) -> None:
    while how_many(path, "SELECT count(*) FROM report WHERE state = 'applied'") < count:
        await asyncio.sleep(0.05)  # another process that applies them


def how_many(path: Path, query: str) -> int:
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return int(connection.execute(query).fetchone()[0])


async def watch_memory(pid: int, stop: asyncio.Event) -> float:
    """The most that the process and its children have in memory together until told to stop, in MiB."""
    peak = 0.0
    while not stop.is_set():
        peak = max(peak, sum(map(resident_mib, family(pid))))
        await asyncio.sleep(0.1)
    return peak


def family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(one for child in children for one in family(int(child)))]


def resident_mib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)


if __name__ == "__main__":
    main()
