"""The bytes of one SMTP conversation: lines and mail in, answers out, pipelined commands answered in one write."""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from engine.sandbox.smtp_dialogue import Answer, Dialogue, Then

_LONGEST_LINE_BYTES = 4096
_END_OF_MAIL = b"\r\n.\r\n"
_EMPTY_MAIL = b".\r\n"


class SmtpSession(asyncio.Protocol):
    """One connection; while it is open it stands in `sessions`."""

    def __init__(self, dialogue: Dialogue, tls: ssl.SSLContext | None, sessions: set[SmtpSession]) -> None:
        self._dialogue, self._tls, self._sessions = dialogue, tls, sessions
        self._buffer = bytearray()
        self._replies: list[str] = []
        self._then = Then.GO_ON
        self._searched_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._sessions.add(self)
        greeting = self._dialogue.greet()
        self._do(greeting if greeting.line or greeting.then is not Then.GO_ON else Answer(then=Then.IGNORE))
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._then = Then.IGNORE
        self._sessions.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._read():
            pass
        self._flush()

    def close(self) -> None:
        """Hang up without a word."""
        self._then = Then.IGNORE
        self._transport.abort()

    def _read(self) -> bool:
        """Take one line or one mail off the buffer and answer it; False when there is nothing whole to take."""
        if self._then is Then.READ_MAIL:
            return self._read_mail()
        return self._then is Then.GO_ON and self._read_command()

    def _read_command(self) -> bool:
        end = self._buffer.find(b"\n") + 1
        if not end:
            if len(self._buffer) > _LONGEST_LINE_BYTES:
                self._do(Answer("500 5.5.2 Line too long", Then.HANG_UP))
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._do(self._answer(line))
        return True

    def _answer(self, line: bytes) -> Answer:
        command = line.decode("utf-8", "replace").rstrip("\r\n")
        if not line.endswith(b"\r\n"):
            return Answer("500 5.5.2 Lines end with CR LF", Then.HANG_UP)
        if self._buffer and not self._dialogue.may_be_followed(command):
            return Answer("503 5.5.1 Wait for the answer before you go on", Then.HANG_UP)
        return self._dialogue.hear(command)

    def _read_mail(self) -> bool:
        end = 0 if self._buffer.startswith(_EMPTY_MAIL) else self._find_end()
        if end < 0:
            return False
        wire = bytes(self._buffer[:end])
        del self._buffer[: end + len(_EMPTY_MAIL)]
        self._searched_bytes = 0
        self._do(self._dialogue.take(wire.removeprefix(b".").replace(b"\r\n.", b"\r\n")))
        return True

    def _find_end(self) -> int:
        """Where the final dot stands, or -1; what was searched before is not searched again."""
        place = self._buffer.find(_END_OF_MAIL, self._searched_bytes)
        self._searched_bytes = max(0, len(self._buffer) - len(_END_OF_MAIL))
        return place + 2 if place >= 0 else -1

    def _do(self, answer: Answer) -> None:
        self._then = answer.then
        if answer.line:
            self._replies.append(answer.line)
        if self._then is Then.HANG_UP:
            self._flush()
            self._transport.close()
        elif self._then is Then.START_TLS:
            self._transport.pause_reading()
            self._flush()
            self._handshake = asyncio.ensure_future(self._start_tls())

    def _flush(self) -> None:
        if self._replies:
            self._transport.write("".join(f"{line}\r\n" for line in self._replies).encode())
            self._replies.clear()

    async def _start_tls(self) -> None:
        assert self._tls is not None
        loop = asyncio.get_running_loop()
        try:
            secure = await loop.start_tls(self._transport, self, self._tls, server_side=True)
        except OSError:
            self._transport.abort()
            return
        self._transport = cast(asyncio.Transport, secure)
        self._dialogue.begin_tls()
        self._then = Then.GO_ON
        self.data_received(b"")  # a command may have come together with the end of the handshake
