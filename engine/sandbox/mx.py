"""The mail exchangers of the box: each at a loopback address of its own, all at one port that the system chose."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence

from engine.sandbox.certificate import self_signed_context
from engine.sandbox.ports import bind_together
from engine.sandbox.smtp_dialogue import Dialogue, Exchanger, Keeper
from engine.sandbox.smtp_session import SmtpSession

_BACKLOG_CONNECTIONS = 1000


class Exchangers:
    """Servers for all the hosts that are up; a host that is down has an address where nobody listens."""

    def __init__(self, hosts: Sequence[Exchanger], keeper: Keeper) -> None:
        self._hosts = [host for host in hosts if host.is_up]
        self._keeper = keeper
        self._sessions: set[SmtpSession] = set()
        self._servers: list[asyncio.Server] = []
        self._tls = _context(self._hosts)

    async def start(self, port: int = 0) -> int:
        """Listen at every host's address and return the port, one for all; 0: the system chooses."""
        return await bind_together(lambda: self._bind(port))

    def hang_up(self) -> None:
        """End every conversation without a word."""
        for session in list(self._sessions):
            session.close()

    async def stop(self) -> None:
        """Stop listening and hang up on everybody."""
        for server in self._servers:
            server.close()
        self.hang_up()
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    async def _bind(self, port: int) -> int:
        try:
            for host in self._hosts:
                port = await self._listen(host, port)
        except OSError:
            await self.stop()
            raise
        return port

    async def _listen(self, host: Exchanger, port: int) -> int:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: self._meet(host), host.address, port, backlog=_BACKLOG_CONNECTIONS)
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    def _meet(self, host: Exchanger) -> SmtpSession:
        dialogue = Dialogue(host, self._keeper, has_tls=self._tls is not None)
        return SmtpSession(dialogue, self._tls, self._sessions)


def _context(hosts: Sequence[Exchanger]) -> ssl.SSLContext | None:
    names = [host.name for host in hosts if host.offers_tls]
    return self_signed_context(names) if names else None
