"""Mails a second and CPU a mail of the bare session, against a receiver in another process that keeps nothing."""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import ssl
import time
from multiprocessing.connection import Connection
from typing import cast

import trustme
import uvloop

from config.settings import Timeouts
from config.vocabulary import Host, Limits, Route
from engine.clock import SystemClock
from engine.deliver.attempt import Attempt, Envelope
from engine.deliver.pool import Pool
from engine.deliver.session import Dialler

MAIL_BYTES = 5_000
TIMEOUTS = Timeouts(connect=30, banner=30, command=30, data=30, data_block=30, final_dot=30)


class Sink(asyncio.Protocol):
    """Takes every mail at once and forgets it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._rest = b""
        self._in_content = False
        self._transport.write(b"220 sink.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._rest += data
        answers = b""
        while (answer := self._take()) is not None:
            answers += answer
        self._transport.write(answers)

    def _take(self) -> bytes | None:
        line, end, rest = self._rest.partition(b"\r\n.\r\n" if self._in_content else b"\r\n")
        if not end:
            return None
        self._rest = rest
        if self._in_content:
            self._in_content = False
            return b"250 2.0.0 Ok\r\n"
        if line.startswith(b"EHLO"):
            return b"250-sink.example\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n250-DSN\r\n250 8BITMIME\r\n"
        self._in_content = line == b"DATA"
        return b"354 Go on\r\n" if self._in_content else b"250 2.1.0 Ok\r\n"


class TlsSink(Sink):
    """The same behind STARTTLS."""

    context: ssl.SSLContext | None = None

    def _take(self) -> bytes | None:
        if self.context and self._rest.startswith(b"EHLO"):
            self._rest = b""
            return b"250-sink.example\r\n250 STARTTLS\r\n"
        if self.context and self._rest.startswith(b"STARTTLS"):
            self._rest = b""
            self._upgrading = asyncio.get_running_loop().create_task(self._upgrade(self.context))
            self.context = None
            return b"220 2.0.0 Go ahead\r\n"
        return super()._take()

    async def _upgrade(self, context: ssl.SSLContext) -> None:
        upgraded = await asyncio.get_running_loop().start_tls(self._transport, self, context, server_side=True)
        self._transport = cast(asyncio.Transport, upgraded)


def make_sink(*, with_tls: bool) -> type[Sink]:
    """The receiver's side of a connection."""
    if with_tls:
        TlsSink.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("sink.example").configure_cert(TlsSink.context)
    return TlsSink if with_tls else Sink


async def serve_sink(says: Connection, sink: type[Sink]) -> None:
    """Tell the port and take mails until the process is ended."""
    server = await asyncio.get_running_loop().create_server(sink, "127.0.0.1", 0)
    says.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def run_sink(says: Connection, with_tls: bool) -> None:
    uvloop.run(serve_sink(says, make_sink(with_tls=with_tls)))


async def send(port: int, count: int, connections: int) -> tuple[float, float]:
    """Send so many mails; returns wall and CPU seconds of this process."""
    line = b"x" * 70 + b"\r\n"
    wire = b"Subject: Hej\r\n\r\n" + line * (MAIL_BYTES // len(line))
    envelopes = [Envelope(number, f"b+{number}@r.example", f"m{number}@x.example", wire) for number in range(count)]
    route = Route("x.example", "x.example", (Host("sink.example", ("127.0.0.1",), port),))
    pool = Pool(Dialler("bench.example", TIMEOUTS), SystemClock())
    taken: list[Attempt] = []
    wall, cpu = time.perf_counter(), time.process_time()
    await pool.deliver(route, envelopes, Limits(connections, count), taken.append)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert sum(attempt.reply.code == 250 for attempt in taken) == count
    await pool.close()
    return wall, cpu


def main() -> None:
    """Print one line of figures a number of connections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=20_000)
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 20])
    parser.add_argument("--tls", action="store_true", help="with STARTTLS")
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    sink = multiprocessing.get_context("spawn").Process(target=run_sink, args=(there, options.tls), daemon=True)
    sink.start()
    port = here.recv()
    for connections in options.connections:
        wall, cpu = uvloop.run(send(port, options.mails, connections))
        rate, cost = options.mails / wall, cpu / options.mails * 1000
        print(f"{connections:3} connections: {rate:8,.0f} mails/s, {cost:.3f} ms CPU a mail in the sender")
    sink.terminate()


if __name__ == "__main__":
    main()
