"""Which card each row of an imported register is about.

A row and a card are the same person where address and name agree. Where only the address does, the row renames the
card, unless another row of the file has the card's name: then two people share the address. A card without a usable
address is found by name alone, and so is a row; but of two such rows with one name each is a person of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from config.vocabulary import FindingKind
from engine.register.rows import Finding, Row
from engine.store.cards import Card, Content, is_other_address
from engine.store.folding import fold

Person = tuple[str, str]


@dataclass(slots=True, eq=False)
class Target:
    """The card that rows write on: `card` is None for a new one, `rows` are the numbers of the rows so far."""

    card: Card | None
    content: Content
    rows: list[int]

    @property
    def name(self) -> str:
        return f"{self.content.first_name} {self.content.last_name}".strip()

    def take(self, row: Row) -> None:
        """Let a row overwrite what it gives; an empty cell erases nothing."""
        self.content = _merge(self.content, row.content)
        self.rows.append(row.number)


@dataclass(frozen=True, slots=True)
class Match:
    """A row, the card it is about, and what was found about the two."""

    row: Row
    target: Target
    findings: tuple[Finding, ...]


class Matcher:
    """Matches the rows of one file against a register, in the order of the file."""

    def __init__(self, register: Sequence[Card], rows: Sequence[Row]) -> None:
        self._in_file = {_person(row.content) for row in rows}
        self._people: defaultdict[Person, list[Target]] = defaultdict(list)
        self._by_address: defaultdict[str, list[Target]] = defaultdict(list)
        self._by_name: defaultdict[str, list[Target]] = defaultdict(list)
        for card in register:
            self._know(Target(card, card.content, []))

    def match(self, row: Row) -> Match:
        """Find or make the card of a row and write the row on it."""
        target, finding = self._same(row) or self._renamed(row) or self._by_name_alone(row) or self._new(row)
        if target.rows:
            finding = Finding(FindingKind.REPEATED, "row", f"the same person stands in row {target.rows[0]}")
        target.take(row)
        self._know(target)
        return Match(row, target, (*row.findings, *([finding] if finding else ())))

    def _same(self, row: Row) -> tuple[Target, Finding | None] | None:
        address, name = person = _person(row.content)
        known = self._people[person] if address or name else []
        targets = known if address else [target for target in known if not target.rows]
        return (targets[0], None) if targets else None

    def _renamed(self, row: Row) -> tuple[Target, Finding | None] | None:
        for target in self._by_address[row.content.address_key] if row.content.address_key else ():
            if not _name(row.content):
                return target, None
            if not target.rows and _person(target.content) not in self._in_file:
                finding = Finding(FindingKind.RENAMED, "name", f"the card had the name {target.name!r}")
                return target, finding if target.name else None
        return None

    def _by_name_alone(self, row: Row) -> tuple[Target, Finding | None] | None:
        named = self._by_name[_name(row.content)] if _name(row.content) else []
        if row.content.address_key:
            named = [target for target in named if not target.content.address_key]
        return (named[0], None) if len(named) == 1 and not named[0].rows else None

    def _new(self, row: Row) -> tuple[Target, Finding | None]:
        sharing = self._by_address[row.content.address_key] if row.content.address_key else []
        finding = Finding(FindingKind.SHARED_ADDRESS, "email", f"{sharing[0].name!r} has it too") if sharing else None
        return Target(None, Content(), []), finding

    def _know(self, target: Target) -> None:
        content = target.content
        for known in (
            self._people[_person(content)],
            self._by_address[content.address_key],
            self._by_name[_name(content)],
        ):
            if target not in known:
                known.append(target)


def _merge(old: Content, new: Content) -> Content:
    other = bool(new.email) and is_other_address(old, new)
    return replace(
        old,
        first_name=new.first_name or old.first_name,
        last_name=new.last_name or old.last_name,
        email=new.email if other else old.email,
        address_key=new.address_key if other else old.address_key,
        notes=new.notes or old.notes,
        fields=old.fields | new.fields,
    )


def _person(content: Content) -> Person:
    return content.address_key or fold(content.email), _name(content)


def _name(content: Content) -> str:
    return fold(f"{content.first_name} {content.last_name}")
