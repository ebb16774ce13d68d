"""What an answer asks of how we send on: how long to wait, and whether the whole site wants less of us."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import re2

import config
from config.vocabulary import Reply, SiteReaction
from dsn_parser.classify import find_reason
from dsn_parser.rules import is_of

CONFIG_FOLDER = Path(config.__file__).parent
LONGEST_WAIT_SECONDS = 24 * 3600


# "come back in 00:04:58"
_CLOCK = re2.compile(r"\bin (\d{1,2}):(\d\d):(\d\d)\b")


@dataclass(frozen=True, slots=True)
class WaitHint:
    """Words that say how long to wait: by the number and unit in them, or fixed where they name none."""

    pattern: Any
    fixed_seconds: int = 0


@dataclass(frozen=True, slots=True)
class SiteWords:
    """Words that tell more of a site's mood than the reason does; without `sites` they hold everywhere."""

    pattern: Any
    reaction: SiteReaction
    sites: tuple[str, ...] = ()


def wait_hint_seconds(reply: Reply) -> int | None:
    """How long the receiver asks us to wait, in seconds, at most a day; None where it does not say."""
    if reply.is_positive:
        return None
    if clock := _CLOCK.search(reply.text):
        hours, minutes, seconds = (int(part) for part in clock.groups())
        return min(hours * 3600 + minutes * 60 + seconds, LONGEST_WAIT_SECONDS)
    for hint in _wait_hints():
        if found := hint.pattern.search(reply.text):
            return min(hint.fixed_seconds or _count(found.group(1), found.group(2)), LONGEST_WAIT_SECONDS)
    return None


def site_reaction(reply: Reply, site: str = "") -> SiteReaction:
    """What a refusal asks of our sending to the whole site: by the site's own words, else by the refusal's reason."""
    if reply.is_positive:
        return SiteReaction.NONE
    for words in _site_words():
        if (not words.sites or is_of(site, words.sites)) and words.pattern.search(reply.text):
            return words.reaction
    reason, _ = find_reason(reply, site)
    return SiteReaction(_site_reactions()["reason"].get(reason, SiteReaction.NONE))


def _count(number: str, unit: str | None) -> int:
    seconds: int = _wait_data()["unit_seconds"][(unit or "s").lower()]
    return int(number) * seconds


@cache
def _wait_hints() -> tuple[WaitHint, ...]:
    units = "|".join(sorted(_wait_data()["unit_seconds"], key=len, reverse=True))
    return tuple(
        WaitHint(_compile(row["pattern"].replace("{unit}", units)), row.get("wait_seconds", 0))
        for row in _wait_data()["hint"]
    )


@cache
def _site_words() -> tuple[SiteWords, ...]:
    return tuple(
        SiteWords(_compile(row["pattern"]), SiteReaction(row["reaction"]), tuple(row.get("sites", ())))
        for row in _site_reactions()["words"]
    )


@cache
def _wait_data() -> dict[str, Any]:
    return tomllib.loads((CONFIG_FOLDER / "wait_hints.toml").read_text("utf-8"))


@cache
def _site_reactions() -> dict[str, Any]:
    return tomllib.loads((CONFIG_FOLDER / "site_reactions.toml").read_text("utf-8"))


def _compile(pattern: str) -> Any:
    return re2.compile(f"(?i){pattern}")
