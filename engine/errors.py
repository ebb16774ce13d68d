"""The accidents of the engine; a refusal by a receiver is a value (`Reply`), never one of these."""

from __future__ import annotations


class BrevduvaError(Exception):
    """Anything that a person may have to read: says what happened and what to do next."""


class InvalidInput(BrevduvaError):
    """Input that cannot be taken; `field` names what, the message says the cure."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class NotFound(BrevduvaError):
    """No such thing, or not one that the asker may see; the two look alike on purpose."""


class Conflict(BrevduvaError):
    """The thing has changed or stands in a state that does not allow this."""


class DeliveryError(BrevduvaError):
    """The conversation with a receiver broke; carries the host and the stage it broke in."""

    def __init__(self, host: str, stage: str, message: str) -> None:
        super().__init__(f"{message} (host {host}, at {stage})")
        self.host = host
        self.stage = stage
