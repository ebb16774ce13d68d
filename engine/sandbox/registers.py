"""Writes members down as associations keep them: CSV of several dialects, with rows that need looking at."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from config.vocabulary import FindingKind, ImportOutcome
from engine.sandbox.people import Member

_REPEAT_EVERY = 60


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one association's program writes a file: encoding, delimiter and the words of its head."""

    filename: str
    encoding: str
    delimiter: str
    head: tuple[str, str, str, str, str]


DIALECTS = (
    Dialect("medlemmar.csv", "utf-8-sig", ";", ("Medlemsnummer", "Förnamn", "Efternamn", "E-post", "Ort")),
    Dialect("körregister.csv", "latin-1", ";", ("Nr", "Förnamn", "Släktnamn", "E-postadress", "Hemort")),
    Dialect("seglare.csv", "utf-8", ",", ("Medlemsnr", "First name", "Last name", "Email", "Ort")),
)
"""One for each of people.ASSOCIATIONS, in the same order."""


@dataclass(frozen=True, slots=True)
class Register:
    """A file to import, and how often each outcome and finding must stand in the report."""

    filename: str
    data: bytes
    expected: dict[str, int]


def write_register(members: Sequence[Member], dialect: Dialect) -> Register:
    """Write the members down, some of them twice."""
    repeated = members[::_REPEAT_EVERY]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=dialect.delimiter)
    writer.writerow(dialect.head)
    writer.writerows(_row(member) for member in (*members, *repeated))
    return Register(dialect.filename, text.getvalue().encode(dialect.encoding), _expected(members, repeated))


def _row(member: Member) -> tuple[str, str, str, str, str]:
    return member.number, member.first_name, member.last_name, member.email, member.town


def _expected(members: Sequence[Member], repeated: Sequence[Member]) -> dict[str, int]:
    """Bad addresses and typing errors are found in every row that holds them, the repeated ones too."""
    characters = Counter(member.character.name for member in (*members, *repeated))
    counts = {
        ImportOutcome.ADDED: len(members),
        ImportOutcome.TWIN: len(repeated),
        FindingKind.REPEATED: len(repeated),
        FindingKind.BAD_ADDRESS: characters["is_malformed"],
        FindingKind.SUSPECT: characters["is_mistyped"],
    }
    return {str(kind): count for kind, count in counts.items() if count}
