"""The rows of a sheet read as cards, each with what a person should look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from config.vocabulary import FindingKind
from engine.register.addresses import Address, normalise, suggest
from engine.register.cards import LONGEST, LONGEST_OWN
from engine.register.heads import FULL_NAME, divide_name, read_head
from engine.register.sheet import Sheet
from engine.register.texts import one_line, paragraphs
from engine.store.cards import Content


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a row that a person should look at; `suggestion` is what was probably meant."""

    kind: FindingKind
    field: str
    message: str
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file: its number, what it says, and what was found about it."""

    number: int
    content: Content
    findings: tuple[Finding, ...]


def read_rows(sheet: Sheet, own: Sequence[str]) -> tuple[tuple[str, ...], list[Row]]:
    """The association's own columns that the sheet names, and its rows. Raises InvalidInput for a head without use."""
    columns = read_head(sheet.head, own)
    named = tuple(column for column in columns if column and column not in LONGEST and column != FULL_NAME)
    return named, [_read_row(number, cells, columns, named) for number, cells in sheet.rows]


def _read_row(number: int, cells: Sequence[str], columns: Sequence[str], own: Sequence[str]) -> Row:
    findings: list[Finding] = []
    given = _gather(cells, columns, findings)
    texts = {column: _shorten(column, _tidy(column, text), findings) for column, text in given.items()}
    first, last = divide_name(texts.get(FULL_NAME, ""))
    email = texts.get("email", "")
    content = Content(
        first_name=texts.get("first_name") or first,
        last_name=texts.get("last_name") or last,
        email=email,
        address_key=_read_address(email, findings),
        notes=texts.get("notes", ""),
        fields={column: texts[column] for column in own if texts.get(column)},
    )
    return Row(number, content, tuple(findings))


def _gather(cells: Sequence[str], columns: Sequence[str], findings: list[Finding]) -> dict[str, str]:
    """Cells by column; what stands under no heading is put in the notes, for it may be somebody's words."""
    headed = {column: cell for column, cell in zip(columns, cells, strict=False) if column}
    homeless = [cell for at, cell in enumerate(cells) if cell.strip() and not (at < len(columns) and columns[at])]
    if homeless:
        findings.append(Finding(FindingKind.EXTRA_CELLS, "notes", f"without a heading: {', '.join(homeless)[:200]}"))
        headed["notes"] = "\n".join([headed.get("notes", ""), *homeless])
    return headed


def _tidy(column: str, text: str) -> str:
    return paragraphs(text) if column == "notes" else one_line(text)


def _shorten(column: str, text: str, findings: list[Finding]) -> str:
    longest = LONGEST.get(column, LONGEST_OWN)
    if len(text) > longest:
        findings.append(Finding(FindingKind.SHORTENED, column, f"cut after {longest} of {len(text)} characters"))
    return text[:longest]


def _read_address(email: str, findings: list[Finding]) -> str:
    if not email:
        findings.append(Finding(FindingKind.NO_ADDRESS, "email", "no address is given"))
        return ""
    key, finding = _look_at(email)
    if finding:
        findings.append(finding)
    return key


def _look_at(email: str) -> tuple[str, Finding | None]:
    address, suggestion = normalise(email), suggest(email)
    if not isinstance(address, Address):
        return "", Finding(FindingKind.BAD_ADDRESS, "email", f"{email!r} cannot be an address: {address}", suggestion)
    if suggestion is None:
        return address.key, None
    return address.key, Finding(FindingKind.SUSPECT, "email", f"{email!r} is probably a typing error", suggestion)
