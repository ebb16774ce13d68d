"""How wide a failure is: of the session, the host, the message or the recipient; decided here alone."""

from __future__ import annotations

from config.vocabulary import Reply, Stage
from engine.deliver.attempt import Blame

_BEFORE_MAIL = frozenset({Stage.CONNECT, Stage.BANNER, Stage.HELO, Stage.STARTTLS})
_CLOSING = 421
_NO_ANSWER = 0


def find_blame(stage: Stage, reply: Reply) -> Blame | None:
    """Say what a reply at a stage is about, None for acceptance.

    A host that cannot be talked to is passed over for the next one (RFC 5321 5.1); 421 and silence end the session
    whatever was asked (RFC 5321 3.8); otherwise the command that was refused tells.
    """
    if stage in _BEFORE_MAIL:
        return Blame.HOST
    if reply.code in (_CLOSING, _NO_ANSWER):
        return Blame.SESSION
    if reply.is_positive:
        return None
    return Blame.RECIPIENT if stage is Stage.RCPT else Blame.MESSAGE
