"""FakeMx: a receiver on loopback that answers as it is told and remembers every command, mail and read."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict, deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, cast

DROP = b""
"""An answer that closes the connection instead."""
SILENCE = b"(silence)"
"""An answer that never comes, nor any after it."""

ALL_EXTENSIONS = ("PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")

_GOOD = {
    "BANNER": b"220 mx.example ESMTP\r\n",
    "HELO": b"250 mx.example\r\n",
    "STARTTLS": b"220 2.0.0 Go ahead\r\n",
    "MAIL": b"250 2.1.0 Sender ok\r\n",
    "RCPT": b"250 2.1.5 Recipient ok\r\n",
    "DATA": b"354 Go on\r\n",
    "DOT": b"250 2.0.0 Ok: queued as 4F2\r\n",
    "RSET": b"250 2.0.0 Ok\r\n",
    "QUIT": b"221 2.0.0 Bye\r\n",
}


@dataclass
class FakeMx:
    """Answers each verb with the next of `script[verb]`; after these with `always[verb]`, else well."""

    extensions: tuple[str, ...] = ALL_EXTENSIONS
    script: dict[str, list[bytes]] = field(default_factory=dict)
    always: dict[str, bytes] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    max_connections: int | None = None
    deaf_after_data: bool = False
    delay_seconds: float = 0
    address: str = "127.0.0.1"
    port: int = 0
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    connections: int = 0
    most_connections_at_once: int = 0
    peers: list[str] = field(default_factory=list)
    reads: list[bytes] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._answers: dict[str, deque[bytes]] = defaultdict(deque)
        for verb, answers in self.script.items():
            self._answers[verb].extend(answers)
        self._here: set[_Guest] = set()
        self._empty = asyncio.Event()
        self.got_mail = asyncio.Event()
        self._empty.set()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Guest(self), self.address, self.port, backlog=1000)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for guest in list(self._here):
            guest.transport.abort()
        await self._server.wait_closed()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def wait_empty(self) -> None:
        """Wait until nobody is connected."""
        await self._empty.wait()

    def answer_to(self, verb: str) -> bytes:
        if self._answers[verb]:
            return self._answers[verb].popleft()
        return self.always.get(verb, _GOOD.get(verb, b"502 5.5.2 What?\r\n"))

    def drop_all(self) -> None:
        """Close every connection, as an idle timeout would."""
        for guest in list(self._here):
            guest.transport.close()

    def say_to_all(self, words: bytes) -> None:
        """Speak without being asked."""
        for guest in self._here:
            guest.transport.write(words)

    @property
    def connections_now(self) -> int:
        return len(self._here)

    def greet(self, guest: _Guest) -> bytes:
        self.connections += 1
        self.peers.append(guest.transport.get_extra_info("peername")[0])
        self._here.add(guest)
        self._empty.clear()
        if self.max_connections is not None and len(self._here) > self.max_connections:
            return b"421 4.7.0 Too many connections\r\n"
        self.most_connections_at_once = max(self.most_connections_at_once, len(self._here))
        return self.answer_to("BANNER")

    def forget(self, guest: _Guest) -> None:
        self._here.discard(guest)
        if not self._here:
            self._empty.set()


class _Guest(asyncio.Protocol):
    """One connection at the FakeMx."""

    transport: asyncio.Transport

    def __init__(self, mx: FakeMx) -> None:
        self._mx = mx
        self._buffer = b""
        self._in_content = False
        self._is_upgrading = False
        self._is_silent = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._is_upgrading:
            self.transport = cast(asyncio.Transport, transport)
            self._say(self._mx.greet(self))

    def connection_lost(self, exc: Exception | None) -> None:
        self._mx.forget(self)

    def data_received(self, data: bytes) -> None:
        self._mx.reads.append(data)
        self._buffer += data
        while self._buffer and not self._is_upgrading and self._take():
            pass

    def _take(self) -> bool:
        return self._take_content() if self._in_content else self._take_line()

    def _take_line(self) -> bool:
        line, end, rest = self._buffer.partition(b"\r\n")
        if not end:
            return False
        self._buffer = rest
        self._obey(line.decode())
        return True

    def _take_content(self) -> bool:
        if self._buffer.startswith(b".\r\n"):
            content, rest = b"", self._buffer[3:]
        else:
            content, end, rest = self._buffer.partition(b"\r\n.\r\n")
            if not end:
                return False
            content += b"\r\n"
        self._buffer, self._in_content = rest, False
        self._mx.mails.append(content)
        self._mx.got_mail.set()
        self._say(self._mx.answer_to("DOT"))
        return True

    def _obey(self, line: str) -> None:
        self._mx.commands.append(line)
        verb = line.partition(" ")[0].upper()
        if verb == "EHLO" and "EHLO" not in self._mx.always:
            self._say(self._offer())
            return
        answer = self._mx.answer_to(verb)
        self._in_content = verb == "DATA" and answer.startswith(b"354")
        if self._in_content and self._mx.deaf_after_data:
            self.transport.pause_reading()
        if verb == "RCPT" and answer.startswith(b"2"):
            self._mx.recipients.append(line)
        self._say(answer)
        if verb == "QUIT" or answer.startswith(b"421"):
            self.transport.close()
        elif verb == "STARTTLS" and answer.startswith(b"220"):
            self._is_upgrading = True
            self._task = asyncio.get_running_loop().create_task(self._upgrade())

    def _offer(self) -> bytes:
        is_plain = self.transport.get_extra_info("ssl_object") is None
        keywords = (*self._mx.extensions, "STARTTLS") if self._mx.tls and is_plain else self._mx.extensions
        lines = ("mx.example greets you", *keywords)
        return "".join(f"250{'-' if line is not lines[-1] else ' '}{line}\r\n" for line in lines).encode()

    async def _upgrade(self) -> None:
        loop = asyncio.get_running_loop()
        assert self._mx.tls
        try:
            upgraded = await loop.start_tls(self.transport, self, self._mx.tls, server_side=True)
        except OSError:
            upgraded = None
        if upgraded is None:  # the other side left in the middle of the handshake
            self._mx.forget(self)
            return
        self.transport = upgraded
        self._is_upgrading = False

    def _say(self, answer: bytes) -> None:
        if answer == DROP:
            self.transport.close()
        elif answer == SILENCE:
            self._is_silent = True
        elif self._mx.delay_seconds and not self._is_silent:
            asyncio.get_running_loop().call_later(self._mx.delay_seconds, self.transport.write, answer)
        elif not self._is_silent:
            self.transport.write(answer)
