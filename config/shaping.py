"""The table of receivers in `shaping.toml`: whose exchangers are whose and what each is given."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from config.vocabulary import Limits

SHAPING_FILE = Path(__file__).with_name("shaping.toml")


@dataclass(frozen=True, slots=True)
class SiteShape:
    """One operator: name, the suffixes of its exchangers' names, its limits and where these figures come from."""

    name: str
    mx: tuple[str, ...]
    limits: Limits
    source: str


@dataclass(frozen=True, slots=True)
class Shaping:
    """The whole table."""

    default: Limits
    sites: tuple[SiteShape, ...]
    second_level: frozenset[str]

    def find(self, name: str) -> SiteShape | None:
        return next((site for site in self.sites if site.name == name), None)


@cache
def read_shaping() -> Shaping:
    """The shipped table, read at first need; raises TypeError or KeyError where it is ill-formed."""
    table = tomllib.loads(SHAPING_FILE.read_text("utf-8"))
    default = Limits(**table["default"])
    sites = tuple(_read_site(dict(row), default) for row in table["site"])
    return Shaping(default, sites, frozenset(table["second_level"]))


def _read_site(row: dict[str, Any], default: Limits) -> SiteShape:
    name, mx, source = row.pop("name"), tuple(row.pop("mx")), row.pop("source")
    given = {"connections": default.connections, "messages_per_connection": default.messages_per_connection, **row}
    return SiteShape(name, mx, Limits(**given), source)
