"""Where one member's message stands in our own books, and whether it is where it has to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Self

from config.vocabulary import EventKind
from engine.store.database import Connection
from engine.store.message_rows import Message, events_of
from tests.mta.exim import EXIM
from tests.mta.fates import Fate
from tests.mta.opensmtpd import OPENSMTPD
from tests.mta.postfix import POSTFIX
from tests.store.association import card_status

SERVERS = {f"{server.name}.example": server for server in (POSTFIX, EXIM, OPENSMTPD)}
"""By the domain that each is there for."""


@dataclass(frozen=True, slots=True)
class State:
    """All statuses a message had, the last news of it, its card, and how each attempt was encrypted."""

    email: str
    path: tuple[str, ...]
    reason: str
    text: str
    card: str
    tls: tuple[str, ...]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        return cls(**dict(values, path=tuple(values["path"]), tls=tuple(values["tls"])))

    @property
    def domain(self) -> str:
        return self.email.partition("@")[2]

    @property
    def fate(self) -> Fate:
        return SERVERS[self.domain].fates[self.email.partition("@")[0]]

    def is_as_meant(self) -> bool:
        """Whether the first hours have brought what they had to."""
        fate = self.fate
        return (self.path, self.card) == (fate.path, fate.card) and self.reason in fate.reasons

    def has_ended_as_meant(self) -> bool:
        return (self.path[-1], self.card) == (self.fate.end, self.fate.end_card)


async def read_state(connection: Connection, message: Message) -> State:
    events = await events_of(connection, message.message_id)
    last = events[-1]
    return State(
        email=message.email,
        path=tuple(status for status, _ in groupby(event.new for event in events)),
        reason=last.reason,
        text=" ".join(str(part) for part in (last.code or "", last.enhanced, last.text) if part),
        card=await card_status(connection, message.card_id),
        tls=tuple(event.tls for event in events if event.kind is EventKind.ATTEMPT),
    )


def write_table(first: Sequence[State], last: Sequence[State]) -> str:
    """One line a member: what became of the mail within hours, what after six days, and the last words."""
    rows = [
        (
            "right" if before.is_as_meant() and after.has_ended_as_meant() else "WRONG",
            before.email,
            " > ".join(before.path[1:]),
            before.card,
            f"{after.path[-1]}, {after.card}",
            (before.tls or ("",))[0].partition(" ")[0] or "plain",
            before.text[:90],
        )
        for before, after in zip(first, last, strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
