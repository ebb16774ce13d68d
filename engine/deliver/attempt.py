"""What is handed over and what came of it: Envelope in, Attempt out."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from config.vocabulary import Reply, Stage


class Blame(StrEnum):
    """How wide a failure is: what had better not be tried again right now."""

    SESSION = "session"
    HOST = "host"
    MESSAGE = "message"
    RECIPIENT = "recipient"


class Envelope(NamedTuple):
    """One mail to one recipient, ready for the wire.

    `wire` has CRLF line ends, is dot-stuffed and ends with CRLF, without the final dot. `envelope_id` and `notify` are
    told to receivers that offer DSN (RFC 3461 4.4, 4.1).
    """

    job_id: int
    mail_from: str
    recipient: str
    wire: bytes
    envelope_id: str = ""
    notify: str = "FAILURE,DELAY"


class Attempt(NamedTuple):
    """What one try came to.

    `host` is name and address of the receiver, `tls` version and cipher ("" in plaintext). `uncertain`: the mail was
    sent whole and the answer to the final dot never seen. `blame` is None where the receiver took the mail. A reply
    with code 0 is our own finding: nobody answered.
    """

    envelope: Envelope
    reply: Reply
    stage: Stage
    host: str
    tls: str = ""
    uncertain: bool = False
    blame: Blame | None = None
