"""The mail that is being announced, from MAIL to DATA. Pure: arguments in, replies out (RFC 5321 4.1.1)."""

from __future__ import annotations

from config.vocabulary import Reply
from engine.listen import replies
from engine.listen.grammar import Path, read_path
from engine.listen.limits import ListenerLimits
from engine.listen.policy import RecipientPolicy

_MAIL_PARAMETERS = frozenset({"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID"})
_RCPT_PARAMETERS = frozenset({"NOTIFY", "ORCPT"})
_LONGEST_SIZE = 20  # digits, RFC 1870 4


class Transaction:
    """Who sends a mail and who is to have it; only what our policy knows becomes a recipient."""

    def __init__(self, policy: RecipientPolicy, limits: ListenerLimits) -> None:
        self.sender: str | None = None
        self._recipients: list[str] = []
        self._policy = policy
        self._limits = limits

    @property
    def recipients(self) -> tuple[str, ...]:
        """Each recipient once, in the order in which they were named."""
        return tuple(dict.fromkeys(self._recipients))

    def take_sender(self, argument: str) -> Reply:
        """Answer MAIL."""
        path = read_path(argument, "FROM:")
        if self.sender is not None:
            return replies.OUT_OF_ORDER
        if path is None:
            return replies.BAD_ARGUMENT
        if refusal := self._refuse_sender(path):
            return refusal
        self.sender = path.address
        return replies.SENDER_OK

    def take_recipient(self, argument: str) -> Reply:
        """Answer RCPT."""
        path = read_path(argument, "TO:")
        if self.sender is None:
            return replies.OUT_OF_ORDER
        if path is None:
            return replies.BAD_ARGUMENT
        if refusal := self._refuse_recipient(path):
            return refusal
        self._recipients.append(path.address)
        return replies.RECIPIENT_OK

    def refuse_body(self) -> Reply | None:
        """Answer DATA where it comes too early."""
        if self.sender is None:
            return replies.OUT_OF_ORDER
        return None if self._recipients else replies.NO_RECIPIENT

    def _refuse_sender(self, path: Path) -> Reply | None:
        if path.parameters.keys() - _MAIL_PARAMETERS:
            return replies.PARAMETER_NOT_OFFERED
        size, body = path.parameters.get("SIZE", "0"), path.parameters.get("BODY", "7BIT")
        is_size = size.isascii() and size.isdigit() and len(size) <= _LONGEST_SIZE
        if not is_size or body.upper() not in ("7BIT", "8BITMIME"):
            return replies.BAD_ARGUMENT
        return replies.TOO_BIG if int(size) > self._limits.message_bytes else None

    def _refuse_recipient(self, path: Path) -> Reply | None:
        if path.parameters.keys() - _RCPT_PARAMETERS:
            return replies.PARAMETER_NOT_OFFERED
        role = self._policy.check(path.address)
        if isinstance(role, Reply):
            return role
        return replies.TOO_MANY_RECIPIENTS if len(self._recipients) >= self._limits.recipients else None
