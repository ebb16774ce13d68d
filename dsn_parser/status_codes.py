"""The IANA registry of enhanced status codes, and what each code means where the receiver says nothing more."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import config
from config.vocabulary import EnhancedStatus, Reason

STATUS_FILE = Path(config.__file__).parent / "enhanced_status.toml"


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """One row of the IANA registry of enhanced status codes, with the reason that it gives without other words."""

    code: str
    sample: str
    description: str
    reference: str = ""
    reason: Reason | None = None
    reason_4: Reason | None = None


@cache
def status_registry() -> dict[str, StatusEntry]:
    """The IANA registry "SMTP Enhanced Status Codes" by `X.subject.detail`."""
    rows = tomllib.loads(STATUS_FILE.read_text("utf-8"))
    return {code: _entry(row) for row in rows["status"] + rows["unregistered"] for code in _codes(row["code"])}


def _codes(code: str) -> Iterator[str]:
    """`X.7.606-X.7.649` as every code from the first to the last; a single code as itself."""
    first, _, last = code.partition("-")
    stem, _, low = first.rpartition(".")
    high = (last or first).rpartition(".")[2]
    return (f"{stem}.{detail}" for detail in range(int(low), int(high) + 1))


def _entry(row: dict[str, Any]) -> StatusEntry:
    reason, reason_4 = (Reason(row[key]) if key in row else None for key in ("reason", "reason_4"))
    return StatusEntry(
        row["code"],
        row["sample"],
        row["description"],
        row.get("reference", ""),
        reason,
        reason_4,
    )


def status_entry(enhanced: EnhancedStatus | None) -> StatusEntry | None:
    """The registry's row for an enhanced status, whatever its class; None where nobody has registered or used it."""
    return status_registry().get(f"X.{enhanced.subject}.{enhanced.detail}") if enhanced else None


def reason_of_status(enhanced: EnhancedStatus | None) -> Reason | None:
    """The reason that a refusal's status gives where the receiver says nothing more; None where it tells nothing."""
    entry = status_entry(enhanced)
    if enhanced is None or entry is None or enhanced.klass == 2:
        return None
    return entry.reason_4 if enhanced.klass == 4 and entry.reason_4 else entry.reason
