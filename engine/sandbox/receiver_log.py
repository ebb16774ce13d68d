"""The receiving side's own log, the oracle of every test: one line a mail, on disk before the mail is answered."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import orjson


@dataclass(frozen=True, slots=True)
class Receipt:
    """One mail as the receiving side saw it."""

    at: datetime
    host: str
    recipient: str
    message_id: str
    token: str  # X-Brevduva-Token: which message of the sender's this is
    digest: str  # SHA-256 of the mail, undone of its dot-stuffing
    size_bytes: int
    is_tidy: bool  # every CR and LF in pairs and no NUL
    is_answered: bool  # the sender was told; false where the connection was dropped after the final dot
    is_kept: bool  # a member can read it; false where it was dropped or is bounced later


class ReceiverLog:
    """An append-only file of receipts, JSON a line; `synced` puts each line on the disk itself before it returns."""

    def __init__(self, path: Path, *, synced: bool = True) -> None:
        self.path = path
        self._synced = synced
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def append(self, receipt: Receipt) -> None:
        os.write(self._file, orjson.dumps(asdict(receipt), option=orjson.OPT_APPEND_NEWLINE))
        if self._synced:
            os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


def read_receipts(path: Path) -> list[Receipt]:
    """Read every whole line; a last line that a crash cut short was never answered, and does not count."""
    lines = path.read_bytes().split(b"\n")[:-1]
    return [_receipt(orjson.loads(line)) for line in lines]


def _receipt(fields: dict[str, str]) -> Receipt:
    return Receipt(**{**fields, "at": datetime.fromisoformat(fields["at"])})  # type: ignore[arg-type]  # as written
