"""What every request is served with."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from config.settings import Settings
from engine.clock import Clock
from engine.compose.message import Identity
from engine.keys import Keys
from engine.store.database import Database


@dataclass(frozen=True, slots=True)
class Services:
    """The settings, the store, the time and the secrets of this installation."""

    settings: Settings
    database: Database
    clock: Clock
    keys: Keys

    @property
    def base_url(self) -> str:
        """Where people reach us, without a slash at the end; links are built from it and from nothing else."""
        return str(self.settings.web.base_url).rstrip("/")

    @property
    def identity(self) -> Identity:
        """What a mail says of who sends it; without DKIM keys, for nothing is sent from here."""
        sending = self.settings.sending
        return Identity(
            sender_address=sending.sender_address,
            hostname=sending.hostname,
            bounce_domain=sending.bounce_domain,
            base_url=self.base_url,
            ring=self.keys.ring,
            signers=(),
        )

    @property
    def is_https(self) -> bool:
        return urlsplit(self.base_url).scheme == "https"

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""
