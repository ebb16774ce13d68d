"""Reports a second that the listener takes in and syncs, beside aiosmtpd as it comes, which keeps nothing."""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import resource
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import structlog
import uvloop
from aiosmtpd.smtp import SMTP

from engine.listen.limits import ListenerLimits
from engine.listen.policy import RecipientPolicy
from engine.listen.server import Listener
from engine.listen.spool import Spool
from engine.return_path import KeyRing, return_path
from scripts.benchmarks._folder import FOLDER, fresh_folder

RING = KeyRing((b"a key of the benchmark, no secret",))
DOMAIN = "retur.brevduva.example"
MAIL = (
    b"Subject: Undelivered Mail Returned to Sender\r\n\r\n"
    + b"x" * 70
    + b"\r\n"
    + (b"y" * 70 + b"\r\n") * 60
    + b".\r\n"
)
MAILS_A_SESSION = 40


class Forgetter:
    """The peer's handler: says 250 and keeps nothing."""

    async def handle_DATA(self, *_: object) -> str:
        return "250 2.6.0 Forgotten"


async def serve(kind: str, folder: str, says: Connection) -> None:
    """Tell the port, then listen until told to stop; tell CPU seconds and peak memory at the end."""
    loop = asyncio.get_running_loop()
    if kind == "ours":
        policy = RecipientPolicy(RING, DOMAIN, "utskick@brevduva.example")
        limits = ListenerLimits(sessions_per_address=1000)
        says.send(await Listener(Spool(Path(folder)), policy, "mx.example", limits=limits).start("127.0.0.1", 0))
    else:
        server = await loop.create_server(lambda: SMTP(Forgetter(), loop=loop), "127.0.0.1", 0)
        says.send(server.sockets[0].getsockname()[1])
    await asyncio.to_thread(says.recv)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    says.send((usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))


def run_server(kind: str, folder: str, says: Connection) -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    uvloop.run(serve(kind, folder, says))


async def hand_over(port: int, numbers: list[int]) -> None:
    """Hand over reports, some a session, as a busy mail server does."""
    while numbers:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await hear(reader)
        await say(reader, writer, b"EHLO mx.example\r\n")
        for _ in range(min(MAILS_A_SESSION, len(numbers))):
            if not numbers:
                break
            recipient = return_path(RING, numbers.pop(), DOMAIN).encode()
            await say(reader, writer, b"MAIL FROM:<>\r\n")
            await say(reader, writer, b"RCPT TO:<" + recipient + b">\r\n")
            await say(reader, writer, b"DATA\r\n")
            await say(reader, writer, MAIL)
        await say(reader, writer, b"QUIT\r\n")
        writer.close()


async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, words: bytes) -> None:
    writer.write(words)
    await hear(reader)


async def hear(reader: asyncio.StreamReader) -> None:
    while (line := await reader.readline())[3:4] == b"-":
        pass
    assert line[:1] in (b"2", b"3"), line


async def send(port: int, count: int, connections: int) -> float:
    numbers, began = list(range(count)), time.perf_counter()
    await asyncio.gather(*(hand_over(port, numbers) for _ in range(connections)))
    return time.perf_counter() - began


def measure(kind: str, count: int, connections: int, folder: str) -> float:
    """Print one line and return the rate."""
    here, there = multiprocessing.Pipe()
    context: Any = multiprocessing.get_context("spawn")
    process = context.Process(target=run_server, args=(kind, folder, there), daemon=True)
    process.start()
    seconds = uvloop.run(send(here.recv(), count, connections))
    here.send("stop")
    cpu_seconds, peak_mib = here.recv()
    process.join()
    print(
        f"{kind:9} {connections:3} connections: {count / seconds:7,.0f} reports/s,"
        f" {cpu_seconds / count * 1000:.2f} ms CPU a report, peak {peak_mib:.0f} MiB"
    )
    return count / seconds


def main() -> None:
    """Print the figures of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=5_000)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--folder", default=FOLDER, help="where the spool is made: its disk is the one measured")
    options = parser.parse_args()
    with fresh_folder(Path(options.folder)) as folder:
        ours = measure("ours", options.reports, options.connections, str(folder))
        kept = sum(1 for _ in (folder / "new").iterdir())
        assert kept == options.reports, f"{options.reports - kept} reports lost"
        theirs = measure("aiosmtpd", options.reports, options.connections, str(folder))
    print(f"kept and synced: {kept}; {ours / theirs:.2f} times the rate of aiosmtpd keeping nothing")


if __name__ == "__main__":
    main()
