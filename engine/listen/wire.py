"""The line to a stranger: bounded reading, replies, TLS; the only file that knows aiosmtpd.

aiosmtpd brings the protocol and its life from connection to loss. What a stranger can lean on is our own, because
aiosmtpd as it comes reads without end, resets its timers on every command and stops in the middle of a commit
(THREATS, *Listener*).
"""

from __future__ import annotations

import asyncio
import logging
import ssl

from aiosmtpd.smtp import SMTP

from config.vocabulary import Reply
from engine.listen import replies
from engine.listen.limits import ListenerLimits

_READ_BYTES = 64 * 1024

logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells of every connection; we tell of every session


class LastWordsError(Exception):
    """The conversation ends here, with this reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class HungUpError(Exception):
    """The other side is gone."""


class Wire(SMTP):
    """One connection; everything read from it is bounded, and nobody waits for a peer that does not read."""

    line_length_limit = _READ_BYTES // 2  # asyncio stops reading from the socket at twice this

    def __init__(self, hostname: str, limits: ListenerLimits) -> None:
        super().__init__(
            None,
            data_size_limit=limits.message_bytes,
            enable_SMTPUTF8=True,
            hostname=hostname,
            timeout=limits.session_seconds,
            loop=asyncio.get_running_loop(),
        )
        self.peer = ""
        self.tls = ""
        self.ended_by = "hung up"
        self.heard_at = self.loop.time()
        """When its last command came, or it: what the door goes by when the house is full."""
        self._limits = limits
        self._input = bytearray()
        self._waited_seconds = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.peer = (transport.get_extra_info("peername") or ("",))[0]
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.leave()
        super().connection_lost(error)

    def leave(self) -> None:
        """Stop counting as connected; called once or more."""
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()

    def eof_received(self) -> bool | None:
        """Let a peer that has said all it wants hear the answers; aiosmtpd would stop in the middle of a commit."""
        self._reader.feed_eof()
        return not self.tls

    def _timeout_cb(self) -> None:
        """Cut a session that is over its time; aiosmtpd's close would wait for a peer that does not read."""
        self.ended_by = "session too long"
        self._writer.transport.abort()

    def turn_away(self, reply: Reply) -> None:
        """End the conversation from outside, with one last reply."""
        self.ended_by = str(reply)
        self._writer.write(f"{reply}\r\n".encode())
        self.hang_up()

    def hang_up(self) -> None:
        """Close, but never wait for a peer that does not read what it was told, or, asked again, for any peer."""
        transport = self._writer.transport
        if transport.is_closing() or transport.get_write_buffer_size():
            transport.abort()
        else:
            transport.close()

    async def say(self, reply: Reply | str) -> None:
        """Send one reply; raises HungUpError."""
        try:
            await self.push(str(reply))
        except OSError as error:
            raise HungUpError from error

    async def next_line(self, granted_seconds: float) -> bytes:
        """Return the next line with its LF.

        All waiting for lines adds up, and `granted_seconds` is how much of it there may be. Raises HungUpError and,
        for a peer that is too slow or a line that is too long, LastWordsError.
        """
        while (end := self._input.find(b"\n")) < 0 and len(self._input) <= self._limits.line_bytes:
            started = self.loop.time()
            self._input += await self._read_until(started + granted_seconds - self._waited_seconds)
            self._waited_seconds += self.loop.time() - started
        if not 0 <= end < self._limits.line_bytes:
            raise LastWordsError(replies.LINE_TOO_LONG)
        line = bytes(self._input[: end + 1])
        del self._input[: end + 1]
        self.heard_at = self.loop.time()
        return line

    async def next_chunk(self, deadline: float) -> bytes:
        """Return what has come in, at least one byte; the deadline is in loop time. Raises as `next_line` does."""
        if not self._input:
            return await self._read_until(deadline)
        chunk = bytes(self._input)
        self._input.clear()
        return chunk

    def put_back(self, rest: bytes) -> None:
        """Return what was read beyond the end of a body; it is read again as commands."""
        self._input[:0] = rest

    async def _read_until(self, deadline: float) -> bytes:
        try:
            async with asyncio.timeout_at(deadline):
                chunk = await self._reader.read(_READ_BYTES)
        except TimeoutError:
            raise LastWordsError(replies.TOO_SLOW) from None
        except OSError as error:
            raise HungUpError from error
        if not chunk:
            raise HungUpError
        return chunk

    def has_more_input(self) -> bool:
        """Tell whether something has come that nobody has read yet."""
        return bool(self._input or self._reader._buffer)  # type: ignore[attr-defined]  # asyncio has no public look

    async def go_over_to_tls(self, context: ssl.SSLContext) -> None:
        """Begin TLS; what was sent in clear before it is never read (CVE-2011-0411). Raises HungUpError."""
        self._input.clear()
        self._reader._buffer.clear()  # type: ignore[attr-defined]  # as aiosmtpd does; nothing is awaited until TLS has the line
        transport = await self._shake_hands(context)
        if transport is None:
            self.leave()  # asyncio tells nobody that a connection was lost in a handshake
            raise HungUpError
        self.transport = transport
        self._writer = asyncio.StreamWriter(transport, self, self._reader, self.loop)
        self.tls = transport.get_extra_info("ssl_object").version()

    async def _shake_hands(self, context: ssl.SSLContext) -> asyncio.Transport | None:
        plain, seconds = self._writer.transport, self._limits.handshake_seconds
        try:
            return await self.loop.start_tls(plain, self, context, server_side=True, ssl_handshake_timeout=seconds)
        except OSError:
            return None
