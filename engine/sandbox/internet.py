"""The whole box: name server, mail exchangers, mailboxes and their world, opened and closed together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.clock import Clock
from engine.sandbox.dns import DnsServer, Name, mail_domain
from engine.sandbox.mailboxes import Directory, Mailboxes
from engine.sandbox.mx import Exchangers
from engine.sandbox.receiver_log import ReceiverLog
from engine.sandbox.sites import NORRPOST, all_hosts, zones
from engine.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the box is reached on loopback."""

    dns_port: int
    smtp_port: int


class Internet:
    """An internet of a few sites. A hospitable one has every domain that anyone may think of, at the largest site."""

    def __init__(
        self, clock: Clock, directory: Directory, world: World, log_path: Path, *,
        synced: bool = True, hospitable: bool = False,
    ) -> None:  # fmt: skip
        self.log = ReceiverLog(log_path, synced=synced)
        self.mailboxes = Mailboxes(clock, directory, self.log, world.took, else_at=NORRPOST if hospitable else None)
        self._exchangers = Exchangers(all_hosts(), self.mailboxes)
        self._dns = DnsServer(zones(), _anywhere() if hospitable else None)

    async def open(self, ports: Ports = Ports(0, 0)) -> Ports:
        """Start everything and return the ports; 0: the system chooses."""
        return Ports(await self._dns.start(ports.dns_port), await self._exchangers.start(ports.smtp_port))

    def turn(self) -> None:
        """From now on everyone follows the second habit; conversations begun before are over."""
        self.mailboxes.turn_all()
        self._exchangers.hang_up()

    async def close(self) -> None:
        await self._exchangers.stop()
        await self._dns.stop()
        self.log.close()


def _anywhere() -> Name:
    return mail_domain(*(host.name for host in NORRPOST.hosts))
