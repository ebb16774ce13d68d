"""The receiver of the benchmarks: takes every mail at once and keeps who got one, a few mails and when the last came.

A process of its own, whose CPU is counted to nobody. `python -m scripts.benchmarks._sink HOST PORT [CERTIFICATE]` says
its port on a line, then answers each line it reads with what it has taken since the last one, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from subprocess import PIPE, Popen
from typing import IO, Any, cast

import uvloop

EVERY_ADDRESS = "0.0.0.0"
"""Of the island's own network, or for a moment of all that this machine has."""

_KEEPS_EVERY = 500
_OFFER = b"250-sink.example\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n250-ENHANCEDSTATUSCODES\r\n%b250 8BITMIME\r\n"
_TAKEN = b"250 2.0.0 Ok: queued as 4B7c1f02fz9X\r\n"


@dataclass(frozen=True, slots=True)
class Told:
    """What a sink has taken: how many mails, to how many different recipients, when the last, and some of them whole.

    Times are seconds of the machine's monotonic clock.
    """

    mails: int
    recipients: int
    last_at: float
    samples: tuple[bytes, ...]


@dataclass(slots=True)
class Taken:
    """The sink's log."""

    recipients: list[bytes] = field(default_factory=list)
    samples: list[bytes] = field(default_factory=list)
    last_at: float = 0.0

    def take(self, recipient: bytes, mail: bytes) -> None:
        if len(self.recipients) % _KEEPS_EVERY == 0:
            self.samples.append(mail)
        self.recipients.append(recipient)
        self.last_at = time.monotonic()

    def forget(self) -> None:
        self.recipients.clear()
        self.samples.clear()

    def tell(self) -> dict[str, object]:
        return {
            "mails": len(self.recipients),
            "recipients": len(set(self.recipients)),
            "last_at": self.last_at,
            "samples": [b64encode(sample).decode() for sample in self.samples],
        }


class Session(asyncio.Protocol):
    """One conversation, pipelined or not; `context` is there where STARTTLS is offered."""

    def __init__(self, taken: Taken, context: ssl.SSLContext | None) -> None:
        self._taken = taken
        self._context = context
        self._rest = b""
        self._recipient = b""
        self._in_content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 sink.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._rest += data
        answers = []
        while (answer := self._take()) is not None:
            answers.append(answer)
        if answers:
            self._transport.write(b"".join(answers))
        if answers and answers[-1].startswith(b"221"):
            self._transport.close()

    def _take(self) -> bytes | None:
        content, end, rest = self._rest.partition(b"\r\n.\r\n" if self._in_content else b"\r\n")
        if not end:
            return None
        self._rest = rest
        if not self._in_content:
            return self._answer(content)
        self._in_content = False
        self._taken.take(self._recipient, content)
        return _TAKEN

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"RCPT":
            self._recipient = line[line.find(b"<") + 1 : line.find(b">")]
        elif verb == b"DATA":
            self._in_content = True
            return b"354 Go on\r\n"
        elif verb == b"EHLO":
            return _OFFER % (b"250-STARTTLS\r\n" if self._context else b"")
        elif verb == b"STAR" and self._context:
            self._upgrading = asyncio.get_running_loop().create_task(self._upgrade(self._context))
            self._context = None
            return b"220 2.0.0 Go ahead\r\n"
        elif verb == b"QUIT":
            return b"221 2.0.0 Bye\r\n"
        return b"250 2.1.0 Ok\r\n"

    async def _upgrade(self, context: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        self._transport = cast(
            asyncio.Transport, await loop.start_tls(self._transport, self, context, server_side=True)
        )


async def _serve(host: str, port: int, certificate: str | None) -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    taken, loop = Taken(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Session(taken, context), host, port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        told = taken.tell() if line.strip() != b"count" else {"mails": len(taken.recipients)}
        if line.strip() == b"forget":
            taken.forget()
        print(json.dumps(told), flush=True)


class Sink:
    """The running receiver, as the benchmark sees it."""

    def __init__(self, process: Popen[str]) -> None:
        self._says, self._hears = cast("tuple[IO[str], IO[str]]", (process.stdout, process.stdin))
        self.port = int(self._says.readline())

    def _ask(self, what: str) -> dict[str, Any]:
        self._hears.write(f"{what}\n")
        self._hears.flush()
        answer: dict[str, Any] = json.loads(self._says.readline())
        return answer

    def count(self) -> int:
        return int(self._ask("count")["mails"])

    def forget(self) -> None:
        """Count anew from here."""
        self._ask("forget")

    def tell(self) -> Told:
        all_of_it = self._ask("all")
        return Told(**{**all_of_it, "samples": tuple(map(b64decode, all_of_it["samples"]))})

    async def wait_for(self, mails: int, seconds: float, look: Callable[[], None] = lambda: None) -> None:
        """Return once so many mails were taken; `look` is called once a second on the way. Raises TimeoutError."""
        looked_at = 0.0
        async with asyncio.timeout(seconds):
            while self.count() < mails:
                if time.monotonic() - looked_at >= 1:
                    look()
                    looked_at = time.monotonic()
                await asyncio.sleep(0.05)


@contextmanager
def running_sink(host: str = "127.0.0.1", port: int = 0, certificate: str | None = None) -> Iterator[Sink]:
    """A receiver that ends with the block."""
    words = [sys.executable, "-m", "scripts.benchmarks._sink", host, str(port), *([certificate] if certificate else [])]
    with Popen(words, stdin=PIPE, stdout=PIPE, text=True) as process:
        try:
            yield Sink(process)
        finally:
            process.kill()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None))
