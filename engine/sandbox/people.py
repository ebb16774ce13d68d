"""Makes up the people of the box: associations and their members, the same for the same seed."""

from __future__ import annotations

import random
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.sandbox.characters import CHARACTERS, Character, Expected

_SHARE_ELSEWHERE = 0.04
_SHARE_SHOUTED = 0.03
_SHARES = (5, 3, 2)

_NAMES: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))
_MISTAKES = (("@", "(at)"), ("@", "@@"), ("@", " @ "), ("@", ""))


@dataclass(frozen=True, slots=True)
class Association:
    """An association, its offices, and the user who writes for it."""

    name: str
    slug: str
    offices: tuple[str, ...]
    user: str
    user_email: str


ASSOCIATIONS = (
    Association(
        "Skärgårdens hembygdsförening rf",
        "skargarden",
        ("Kansliet i Pargas", "Museet i Nagu"),
        "Märta Öhman",
        "marta.ohman@hembygd.example",
    ),
    Association(
        "Åbo svenska kammarkör rf", "kammarkoren", ("Kansliet i Åbo",), "Göran Lindqvist", "goran@kammarkor.example"
    ),
    Association(
        "Föreningen Nordisk segling", "segling", ("Hamnkontoret",), "Ylva Sjöberg", "ylva.sjoberg@segling.example"
    ),
)
"""The first asks and mails before the others, so that what its mails find out holds for theirs."""


@dataclass(frozen=True, slots=True)
class Member:
    """One card to be: who, in which register (a place in ASSOCIATIONS), and what the mailbox is like."""

    first_name: str
    last_name: str
    email: str
    number: str
    town: str
    association: int
    character: Character
    is_elsewhere: bool = False  # the same address stands in the first association's register

    @property
    def expected(self) -> Expected:
        """What the register must say of the card in the end."""
        elsewhere = self.character.elsewhere if self.is_elsewhere else None
        return elsewhere or self.character.expected


@dataclass(frozen=True, slots=True)
class People:
    """Every member of every association."""

    members: tuple[Member, ...]

    def of(self, association: int) -> list[Member]:
        return [member for member in self.members if member.association == association]

    @property
    def residents(self) -> dict[str, Character]:
        """Every address in lower case, with the character of its mailbox."""
        return {member.email.lower(): member.character for member in self.members}


def make_people(members: int, seed: int) -> People:
    """Make up so many cards; every character is there once the number allows it (about fifty)."""
    return People(tuple(_Maker(random.Random(seed)).make(members)))  # noqa: S311 — people, not secrets


class _Maker:
    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._named: set[tuple[str, str]] = set()
        self._taken: set[str] = set()
        self._count = 0

    def make(self, members: int) -> Iterator[Member]:
        pairs = self._pairs(members)
        for character in pairs:
            yield from self._pair(character)
        for character in self._singles(members - 2 * len(pairs)):
            [place] = self._dice.choices(range(len(ASSOCIATIONS)), _SHARES)
            yield self._member(character, place)

    def _pairs(self, members: int) -> list[Character]:
        """Characters of the addresses that stand in two registers: each kind that can, then by weight."""
        able = [character for character in CHARACTERS if character.elsewhere]
        wanted = max(len(able), round(members * _SHARE_ELSEWHERE / 2))
        drawn = self._dice.choices(able, [character.weight for character in able], k=wanted - len(able))
        return (able + drawn)[: members // 4]

    def _singles(self, members: int) -> list[Character]:
        weights = [character.weight for character in CHARACTERS]
        drawn = self._dice.choices(CHARACTERS, weights, k=max(0, members - len(CHARACTERS)))
        dealt = (list(CHARACTERS) + drawn)[:members]
        self._dice.shuffle(dealt)
        return dealt

    def _pair(self, character: Character) -> Iterator[Member]:
        first = self._member(character, 0)
        yield first
        other = self._dice.randrange(1, len(ASSOCIATIONS))
        yield Member(
            first.first_name,
            first.last_name,
            first.email,
            self._number(),
            first.town,
            other,
            character,
            is_elsewhere=True,
        )

    def _member(self, character: Character, place: int) -> Member:
        first, last = self._name()
        town = self._dice.choice(_NAMES["towns"])
        email = self._address(f"{_ascii(first)}.{_ascii(last)}", self._dice.choice(character.domains))
        if character.is_malformed:
            email = email.replace(*self._dice.choice(_MISTAKES))
        return Member(first, last, email, self._number(), town, place, character)

    def _name(self) -> tuple[str, str]:
        """A name that nobody else has; where one has it, a second first name helps."""
        first, last = self._dice.choice(_NAMES["first_names"]), self._dice.choice(_NAMES["last_names"])
        while (first, last) in self._named:
            first = f"{first} {self._dice.choice(_NAMES['first_names'])}"
        self._named.add((first, last))
        return first, last

    def _address(self, local: str, domain: str) -> str:
        address, again = f"{local}@{domain}", 1
        while address in self._taken:
            again += 1
            address = f"{local}{again}@{domain}"
        self._taken.add(address)
        is_shouted = self._dice.random() < _SHARE_SHOUTED
        return address.title() if is_shouted else address

    def _number(self) -> str:
        self._count += 1
        return f"{1000 + self._count}"


def _ascii(name: str) -> str:
    """A name as it stands in an address: small letters without rings and dots."""
    return unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode().replace(" ", ".")
