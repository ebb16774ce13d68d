"""The listener: opens the port, holds the conversations, and lets them end in order when it stops."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Collection, Iterable

from config.settings import Receiving
from engine.clock import Clock, SystemClock
from engine.listen.conversation import Conversation
from engine.listen.door import Door, Guest
from engine.listen.limits import ListenerLimits
from engine.listen.policy import RecipientPolicy
from engine.listen.replies import SHUTTING_DOWN
from engine.listen.spool import Spool

_SOCKET_BUFFER_BYTES = 64 * 1024
_BACKLOG = 512
_LAST_SECONDS = 2.0


def read_certificate(receiving: Receiving) -> ssl.SSLContext | None:
    """Return the TLS side of the listener, or None where no certificate is set; raises OSError (SSLError is one).

    A key that wants a passphrase cannot be used: nobody is there to be asked.
    """
    if not receiving.tls_certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.load_cert_chain(receiving.tls_certificate, receiving.tls_key or None, password="")
    return context


class Listener:
    """Takes in mail for the addresses that the policy knows, and keeps it in the spool."""

    def __init__(
        self,
        spool: Spool,
        policy: RecipientPolicy,
        hostname: str,
        *,
        limits: ListenerLimits | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
        on_spooled: Callable[[], None] = lambda: None,
    ) -> None:
        self.spool = spool
        self.policy = policy
        self.hostname = hostname
        self.limits = limits or ListenerLimits()
        self.tls = tls
        self.clock: Clock = clock or SystemClock()
        self.on_spooled = on_spooled
        self.door = Door(self.limits)
        self.is_stopping = False
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Open the port (0: the system chooses) and return which it is; raises OSError where it is taken."""
        self.spool.forget_unfinished()
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Conversation(self), host, port, backlog=_BACKLOG, reuse_address=True
        )
        for opened in self._server.sockets:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BUFFER_BYTES)  # sessions inherit it
        return int(self._server.sockets[0].getsockname()[1])

    def use_certificate(self, tls: ssl.SSLContext | None) -> None:
        """Use another certificate from the next STARTTLS on (SIGHUP); sessions already in TLS go on as they are."""
        self.tls = tls

    async def stop(self, grace_seconds: float = 10.0) -> None:
        """Close the port, let mails being received finish within the grace, end everything else, flush the spool."""
        if self._server is not None:
            self._server.close()
        self.is_stopping = True
        guests = self.door.guests
        busy = [guest.task() for guest in guests if guest.is_busy]
        self._turn_away(guest for guest in guests if not guest.is_busy)
        await _wait(busy, grace_seconds)
        self._turn_away(self.door.guests)
        await _wait([guest.task() for guest in guests], _LAST_SECONDS)
        await self.spool.close()

    def _turn_away(self, guests: Iterable[Guest]) -> None:
        for guest in guests:
            guest.turn_away(SHUTTING_DOWN)


async def _wait(tasks: Collection[asyncio.Task[None]], seconds: float) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
