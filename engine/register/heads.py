"""The words that head the columns of a register in Swedish, Finnish and English; all others are own columns."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import InvalidInput
from engine.register.texts import one_line
from engine.store.filters import BUILT_IN_COLUMNS
from engine.store.folding import fold

_LONGEST_WORDS = 50

FULL_NAME = "name"
"""A column that holds the whole name; it is divided into first and last name."""

_WORDS = {
    "first_name": "förnamn, tilltalsnamn, fornamn, etunimi, kutsumanimi, first name, firstname, given name, first_name",
    "last_name": "efternamn, släktnamn, sukunimi, last name, lastname, surname, family name, last_name",
    FULL_NAME: "namn, medlem, nimi, jäsen, name, full name, member",
    "email": "e-post, epost, e-postadress, epostadress, mejl, mail, mailadress, e-mail, email, e-mail address, "
    "email address, mail address, sähköposti, sähköpostiosoite",
    "notes": "anteckningar, anteckning, notering, noteringar, kommentar, kommentarer, övrigt, "
    "muistiinpanot, muistiinpano, huomautus, huomautukset, lisätietoja, notes, note, comment, comments, remarks",
}
_COLUMN_OF = {fold(word): column for column, words in _WORDS.items() for word in words.split(", ")}


def read_head(head: Sequence[str], own: Sequence[str]) -> list[str]:
    """The column that each cell of the head stands for: a built-in one, `name`, or one of the association's own.

    An empty cell stands for no column, and a repeated one for a column of its own (`E-post 2`). Raises InvalidInput
    where no cell heads an address or a name.
    """
    columns: list[str] = []
    for cell in head:
        columns.append(_column_of(cell, own, columns))
    if not set(columns) & _WORDS.keys():
        raise InvalidInput("file", "the first row has to name the columns, as in: Förnamn;Efternamn;E-post")
    return columns


def _column_of(cell: str, own: Sequence[str], taken: Sequence[str]) -> str:
    words = one_line(cell.replace('"', " ").replace("\\", " ")).rstrip(" :*")[:_LONGEST_WORDS].rstrip()
    named = {fold(column): column for column in own}
    column = _COLUMN_OF.get(fold(words)) or named.get(fold(words)) or words
    if column in BUILT_IN_COLUMNS and column not in _WORDS:
        column = column.capitalize()
    number = 2
    while column and column in taken:
        column, number = f"{words} {number}", number + 1
    return column


def divide_name(name: str) -> tuple[str, str]:
    """First and last name of a whole one: `Ida Maria Idunsson`, or the other way round with a comma."""
    last, comma, first = name.partition(",")
    if comma:
        return first.strip(), last.strip()
    first, _, last = name.rpartition(" ")
    return (first, last) if first else (last, "")
