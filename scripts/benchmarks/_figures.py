"""What one turn of a benchmark came to, and the line that says so."""

from __future__ import annotations

from dataclasses import dataclass


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

    @property
    def cpu_seconds_per_1000(self) -> float:
        return self.cpu_seconds / self.mails * 1000

    @property
    def sender_cpu_seconds_per_1000(self) -> float:
        return self.sender_cpu_seconds / self.mails * 1000

    def __str__(self) -> str:
        return (
            f"{self.name:18} {self.rate:6,.0f} mails/s   {self.seconds:6.2f} s"
            f"   CPU s per 1,000: {self.cpu_seconds_per_1000:.3f} (senders {self.sender_cpu_seconds_per_1000:.3f})"
            f"   memory: {self.peak_mib:.0f} MiB (a sender {self.sender_mib:.0f})"
        )
