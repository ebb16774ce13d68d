"""What one turn of a benchmark came to, and the lines that say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figures:
    """One turn: wall seconds from the start to the last 250, CPU seconds of all who took part and of the senders alone.

    `peak_mib` is the most memory that all of them owned together, `sender_mib` the most of one sender.
    """

    name: str
    mails: int
    seconds: float
    cpu_seconds: float
    sender_cpu_seconds: float
    peak_mib: float
    sender_mib: float

    @property
    def rate(self) -> float:
        return self.mails / self.seconds

    def __str__(self) -> str:
        cost, own = (seconds / self.mails * 1000 for seconds in (self.cpu_seconds, self.sender_cpu_seconds))
        return (
            f"{self.name:34} {self.rate:7,.0f} mails/s   {self.seconds:6.2f} s   CPU s per 1,000: {cost:.3f}"
            f" (senders {own:.3f})   memory {self.peak_mib:.0f} MiB (a sender {self.sender_mib:.0f})"
        )


def middle(turns: Sequence[Figures]) -> Figures:
    """The turn in the middle by its rate."""
    rate = median(turn.rate for turn in turns)
    return min(turns, key=lambda turn: abs(turn.rate - rate))
