"""What a mailbox does with a mail, as data: refuse it with these words for so long, take it, and react to it later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum


class Deed(Enum):
    """What the people and machines behind a mailbox do some time after they took a mail."""

    CONFIRM = "presses the button behind the confirmation link"
    SCAN = "fetches every link, as a scanner does, and presses nothing"
    BOUNCE_UNKNOWN = "sends back a delivery report: no such user"
    BOUNCE_DISABLED = "sends back a delivery report: the account is closed"
    BOUNCE_FULL = "sends back a delivery report: the mailbox is full"
    BOUNCE_PROSE = "sends back a bounce that only people can read: no such user"
    DELAY_NOTICE = "sends back a notice that delivery is late"
    COMPLAIN = "sends a feedback report: the member calls it spam"
    UNSUBSCRIBE = "posts the one-click unsubscribe"
    UNSUBSCRIBE_BY_MAIL = "mails the unsubscribe address"
    AUTO_REPLY = "sends back a vacation notice"


BOUNCES = frozenset({Deed.BOUNCE_UNKNOWN, Deed.BOUNCE_DISABLED, Deed.BOUNCE_FULL, Deed.BOUNCE_PROSE})
BY_PEOPLE = frozenset({Deed.CONFIRM, Deed.COMPLAIN, Deed.UNSUBSCRIBE, Deed.UNSUBSCRIBE_BY_MAIL})


class Drop(Enum):
    """What became of the mail when the connection breaks after the final dot; next time it is answered as usual."""

    KEPT = "the mailbox has it"
    LOST = "nobody has it"


@dataclass(frozen=True, slots=True)
class Habit:
    """What one mailbox does with every mail; `{recipient}` in the refusal stands for the address."""

    refusal: str = ""
    refuses_for: timedelta | None = None  # from the first try of each mail; None: for ever
    drops: Drop | None = None
    deeds: tuple[tuple[Deed, timedelta], ...] = ()  # each so long after the mail was taken

    @property
    def keeps(self) -> bool:
        """Whether a member can read a mail that was taken."""
        return not any(deed in BOUNCES for deed, _ in self.deeds)


def accepts(*deeds: tuple[Deed, timedelta]) -> Habit:
    return Habit(deeds=deeds)


def refuses(words: str, lasting: timedelta | None = None, *deeds: tuple[Deed, timedelta]) -> Habit:
    return Habit(words, lasting, deeds=deeds)
