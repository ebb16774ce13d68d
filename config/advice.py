"""What each reason means to whoever keeps the register and what to do about it, read from `advice.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from config.vocabulary import Reason


@dataclass(frozen=True, slots=True)
class Advice:
    """Two plain sentences about one reason, in Swedish."""

    means: str
    advice: str


@cache
def all_advice() -> dict[Reason, Advice]:
    text = Path(__file__).with_name("advice.toml").read_text(encoding="utf-8")
    return {Reason(name): Advice(**entry) for name, entry in tomllib.loads(text).items()}


def advice_for(reason: str | None) -> Advice | None:
    """The advice for a reason as it is stored; None where there is no reason, or one of another time."""
    return all_advice().get(Reason(reason)) if reason in set(Reason) else None
