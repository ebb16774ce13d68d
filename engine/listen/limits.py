"""What the listener grants a stranger: every cap of port 25 as one frozen value."""

from __future__ import annotations

import resource
from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class ListenerLimits:
    """The caps of the listener; times in seconds, sizes in bytes."""

    sessions: int = 500
    sessions_per_address: int = 10
    handshakes: int = 50
    """Sessions that have not said EHLO yet; one more, and the oldest of them is turned away."""

    handshake_seconds: float = 30.0
    command_seconds: float = 300.0
    """All waiting for commands in a session, added up."""

    session_seconds: float = 3600.0
    errors: int = 20
    commands: int = 200
    """Commands since the greeting or since the last mail that was kept."""

    recipients: int = 5
    line_bytes: int = 2 * KIB
    message_bytes: int = 10 * MIB
    overrun_bytes: int = 64 * KIB
    """How much of a mail that is too big is still read before the line is cut."""

    data_grace_seconds: float = 60.0
    least_bytes_a_second: float = 1000.0
    data_seconds: float = 900.0
    free_bytes: int = 256 * MIB
    """Room that must be left on the disk of the spool: the database shares it, and no flood may stop the sending."""

    def data_time_seconds(self, received_bytes: int) -> float:
        """Return how long a body may have taken once so many bytes of it have come."""
        earned = self.data_grace_seconds + received_bytes / self.least_bytes_a_second
        return min(earned, self.data_seconds)


def confine_process(memory_bytes: int = 1024 * MIB, descriptors: int = 1024) -> None:
    """Bind this process to a ceiling of heap and of open files; a lower one already in force stays."""
    _lower(resource.RLIMIT_DATA, memory_bytes)
    _lower(resource.RLIMIT_NOFILE, descriptors)


def _lower(kind: int, ceiling: int) -> None:
    soft, hard = resource.getrlimit(kind)
    known = [limit for limit in (soft, ceiling) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(kind, (min(known), hard))
