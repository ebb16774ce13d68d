"""The rules about receivers' words: read from `config/bounce_rules/`, put in order, and matched in one pass."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cache, lru_cache
from pathlib import Path

import re2

import config
from config.vocabulary import Reason, Reply

RULES_FOLDER = Path(config.__file__).parent / "bounce_rules"
ORDER_FILE = "order.toml"

# A longer text speaks of many things, and single words of it hint at none.
HINT_LIMIT_CHARACTERS = 300

# One receiver says the same to a thousand members; with their addresses masked it is matched once.
REMEMBERED_TEXTS = 1024

_ADDRESS = re2.compile(r"[^\s<>\"'(),;:\[\]=/]+@[^\s<>\"'(),;\[\]]+")

# What a server sets before its own words.
_FRAMES = ("recipient address rejected: ", "did not like our rcpt to: ")


class Tier(IntEnum):
    """How sure a rule's words are; a lower tier is asked first."""

    RECEIVER = 0
    SURE = 1
    VAGUE = 2
    HINT = 3
    FAILED = 4


@dataclass(frozen=True, slots=True)
class Rule:
    """Words that tell why: a pattern, the reason it gives, where it holds, and a whole reply it was written for."""

    reason: Reason
    pattern: str
    example: str
    file: str
    tier: Tier = Tier.SURE
    sites: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    codes: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The rule as it stands in verdicts and history: file and pattern."""
        return f"{self.file} /{self.pattern}/"

    def holds(self, reply: Reply, site: str) -> bool:
        """Whether the rule speaks of this receiver, this enhanced status (as `X.2.1`) and this code."""
        return (
            (self.tier is not Tier.HINT or _may_hint(reply))
            and (not self.sites or is_of(site, self.sites))
            and (not self.statuses or _status_without_class(reply) in self.statuses)
            and (not self.codes or reply.code in self.codes)
        )


class RuleBook:
    """All rules in the order they are asked, behind one filter.

    The filter looks for the literal words of all patterns in one pass and tries only the rules whose words are there.
    (One automaton for all patterns takes 50 times as long on words never seen before, and hundreds of megabytes.)
    """

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        self._filter = re2.Filter()
        for rule in rules:
            self._filter.Add(rule.pattern, _options())
        self._filter.Compile()
        self._remembered = lru_cache(REMEMBERED_TEXTS)(self._match)

    def first(self, reply: Reply, site: str = "") -> Rule | None:
        """The first rule, in order, whose words stand in the reply and that holds for it."""
        return next(self.all(reply, site), None)

    def all(self, reply: Reply, site: str = "") -> Iterator[Rule]:
        """Every rule whose words stand in the reply and that holds for it, in order."""
        matches = (self.rules[number] for number in self._remembered(_for_rules(reply.text)))
        return (rule for rule in matches if rule.holds(reply, site))

    def _match(self, text: str) -> tuple[int, ...]:
        return tuple(sorted(self._filter.Match(text) or ()))


@cache
def rule_book() -> RuleBook:
    """The shipped rules, read and compiled at first need."""
    return RuleBook(read_rules(RULES_FOLDER))


def read_rules(folder: Path) -> tuple[Rule, ...]:
    """The rules of a folder in the order to ask: one receiver's own, sure words, vague words; see `order.toml`."""
    families: list[str] = tomllib.loads((folder / ORDER_FILE).read_text("utf-8"))["order"]
    rules = [rule for family in families for rule in _read_family(folder / f"{family}.toml")]
    return tuple(sorted(rules, key=lambda rule: rule.tier))


def klass_of(reply: Reply) -> int:
    """4 for a refusal for now, 5 for one for good, 0 where nothing says; the code outweighs the enhanced status."""
    if reply.code:
        return reply.code // 100
    return reply.enhanced.klass if reply.enhanced else 0


def mask_addresses(text: str) -> str:
    """The text with every mail address made `a@b`: words inside a member's address must never match a rule."""
    return str(_ADDRESS.sub("a@b", text)) if "@" in text else text


def _may_hint(reply: Reply) -> bool:
    """Tell whether single words of an answer count: not of a long one, nor of one that is only for now."""
    return len(reply.text) <= HINT_LIMIT_CHARACTERS and klass_of(reply) != 4


def _for_rules(text: str) -> str:
    """The text as rules see it.

    Postfix sets "Recipient address rejected:" before whatever its administrator says, about whomever; only before
    "Access denied" does it mean what it says.
    """
    text = mask_addresses(text).lower()
    for frame in _FRAMES:
        head, _, said = text.partition(frame)
        text = f"{head}{said}" if said and not said.startswith("access denied") else text
    return text


def is_of(site: str, names: tuple[str, ...]) -> bool:
    """Whether a host or domain is one of the names, or lies under one."""
    site = site.lower().rstrip(".")
    return any(site == name or site.endswith(f".{name}") for name in names)


def _read_family(path: Path) -> Iterator[Rule]:
    family = tomllib.loads(path.read_text("utf-8"))
    for row in family["rule"]:
        yield Rule(
            reason=Reason(row.get("reason") or family["reason"]),
            pattern=row["pattern"],
            example=row["example"],
            file=path.name,
            tier=_tier(row, family),
            sites=tuple(row.get("sites", ())),
            statuses=tuple(row.get("statuses", ())),
            codes=tuple(row.get("codes", ())),
        )


def _status_without_class(reply: Reply) -> str:
    return f"X.{reply.enhanced.subject}.{reply.enhanced.detail}" if reply.enhanced else ""


def _tier(row: dict[str, object], family: dict[str, object]) -> Tier:
    if "tier" in family:
        return Tier[str(family["tier"]).upper()]
    if row.keys() & {"sites", "statuses", "codes"}:
        return Tier.RECEIVER
    return Tier.VAGUE if row.get("vague") else Tier.SURE


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return options
