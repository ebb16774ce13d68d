"""Who mail is taken for: our own signed addresses, the few role addresses, the sender; all else is refused at RCPT."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from config.settings import Settings
from config.vocabulary import Reply
from engine.listen.replies import NO_SUCH_MAILBOX, NOT_OUR_DOMAIN
from engine.return_path import KeyRing, Purpose, message_of_address


class Role(StrEnum):
    """What an address that is taken is there for."""

    BOUNCE = "bounce"
    UNSUBSCRIBE = "unsubscribe"
    REPLY = "reply"
    POSTMASTER = "postmaster"
    ABUSE = "abuse"
    FEEDBACK = "feedback"
    DMARC = "dmarc"
    TLSRPT = "tlsrpt"


ROLE_NAMES = frozenset({Role.POSTMASTER, Role.ABUSE, Role.FEEDBACK, Role.DMARC, Role.TLSRPT})
_SIGNED = {Purpose.BOUNCE: Role.BOUNCE, Purpose.UNSUBSCRIBE: Role.UNSUBSCRIBE}


@dataclass(frozen=True, slots=True)
class RecipientPolicy:
    """The addresses mail is taken for.

    A signed address is taken from whoever writes to it: notices come from the empty reverse path, but forwarders and
    old servers use their own, and the signature already says that the mail answers one of ours.
    """

    ring: KeyRing
    bounce_domain: str
    sender_address: str

    @classmethod
    def of(cls, settings: Settings, ring: KeyRing) -> RecipientPolicy:
        return cls(ring, settings.sending.bounce_domain, settings.sending.sender_address)

    def check(self, address: str) -> Role | Reply:
        """Return what an address is there for, or the refusal; `postmaster` needs no domain (RFC 5321 4.5.1)."""
        local, _, domain = address.lower().rpartition("@")
        if address.lower() == Role.POSTMASTER:
            return Role.POSTMASTER
        if not address.isascii() or domain not in self._domains:  # the Kelvin sign is a k in lower case
            return NOT_OUR_DOMAIN
        return self._role_of(address, local) or NO_SUCH_MAILBOX

    @property
    def _domains(self) -> tuple[str, str]:
        return self.bounce_domain.lower(), self.sender_address.lower().rpartition("@")[2]

    def _role_of(self, address: str, local: str) -> Role | None:
        if signed := message_of_address(self.ring, address, self.bounce_domain):
            return _SIGNED[signed[0]]
        if address.lower() == self.sender_address.lower():
            return Role.REPLY
        return Role(local) if local in ROLE_NAMES else None
