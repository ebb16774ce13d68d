"""Registers as files, whatever program wrote them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.register import sheet
from engine.register.heads import divide_name, read_head
from engine.register.sheet import Sheet, read_sheet

ROWS = [["Förnamn", "Efternamn", "E-post"], ["Åsa", "Öberg", "asa@example.org"], ["Bo", "Ek; Co", "bo@example.org"]]
READ = Sheet(("Förnamn", "Efternamn", "E-post"), ((2, tuple(ROWS[1])), (3, tuple(ROWS[2]))))


def _csv(delimiter: str, line_end: str = "\r\n") -> str:
    return "".join(
        delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) + line_end for row in ROWS
    )


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_a_csv_is_read_whoever_wrote_it(delimiter: str, encoding: str, line_end: str) -> None:
    assert read_sheet(_csv(delimiter, line_end).encode(encoding), "register.csv") == READ


def test_excels_word_about_the_delimiter_is_heeded() -> None:
    read = read_sheet(("sep=;\r\n" + _csv(";")).encode(), "register.csv")
    assert read.head == READ.head
    assert [number for number, _ in read.rows] == [3, 4]


def test_one_column_of_addresses_is_a_register() -> None:
    assert read_sheet(b"E-post\nida@example.org\n", "a.txt") == Sheet(("E-post",), ((2, ("ida@example.org",)),))


def test_commas_in_cells_do_not_fool_the_sniffer() -> None:
    text = "Namn;E-post;Anteckningar\nBerg, Ida;ida@example.org;a, b, c\nEk, Bo;bo@example.org;d, e\n"
    assert read_sheet(text.encode(), "a.csv").rows[0][1] == ("Berg, Ida", "ida@example.org", "a, b, c")


def test_empty_lines_are_passed_over_and_numbers_stay() -> None:
    read = read_sheet(b"\n;;\nNamn;E-post\n;\nIda;ida@example.org\n", "a.csv")
    assert read == Sheet(("Namn", "E-post"), ((5, ("Ida", "ida@example.org")),))


def test_a_quoted_cell_may_hold_a_line_break() -> None:
    read = read_sheet('Namn;Anteckningar\nIda;"rad ett\nrad två"\n'.encode(), "a.csv")
    assert read.rows[0][1] == ("Ida", "rad ett\nrad två")


@pytest.mark.parametrize(
    ("data", "filename"),
    [
        *((b"", "a.csv"), (b"\n;;\n", "a.csv"), (b"not a zip", "a.xlsx"), (b"PK\x03\x04 broken", "a.xlsx")),
        *((b"\xd0\xcf\x11\xe0 old", "a.xls"), (b"a;" * 101, "a.csv"), (b'a;b\n"' + b"x" * 200_000, "a.csv")),
        (b"a\n" * 100_002, "a.csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_cure(data: bytes, filename: str) -> None:
    with pytest.raises(InvalidInput):
        read_sheet(data, filename)


def test_a_file_too_large_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MOST_BYTES", 10)
    with pytest.raises(InvalidInput, match="larger"):
        read_sheet(b"x" * 11, "a.csv")


def _workbook(*rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    book.create_sheet("Tomt", 0)
    page = book["Sheet"]
    for row in rows:
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_is_read_as_text() -> None:
    data = _workbook(
        ["Namn", "Född", "Nummer", "Betalt", "Möte", "Andel"],
        ["=SUM(A1)", date(1990, 5, 1), 46, True, datetime.fromisoformat("2026-03-02T18:30"), 0.5],
        [None, None, None, None, None, "slut"],
    )
    read = read_sheet(data, "register.xlsx")
    assert read.head == ("Namn", "Född", "Nummer", "Betalt", "Möte", "Andel")
    assert read.rows[0] == (2, ("", "1990-05-01", "46", "x", "2026-03-02 18:30", "0.5"))
    assert read.rows[1] == (3, ("", "", "", "", "", "slut"))


def _bomb(sheet_xml: bytes, strings_xml: bytes = b"") -> bytes:
    """A workbook with this sheet."""
    calm = io.BytesIO(_workbook(["Namn"]))
    out = io.BytesIO()
    with zipfile.ZipFile(calm) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name.startswith("xl/worksheets/"):
                content = sheet_xml
            if name.endswith("sharedStrings.xml") and strings_xml:
                content = strings_xml
            new.writestr(name, content)
    return out.getvalue()


_SPACE = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def _far_away() -> bytes:
    rows = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    return _bomb(b"<worksheet %b><sheetData>%b</sheetData></worksheet>" % (_SPACE, rows))


def _endless_cell() -> bytes:
    row = b'<row r="1"><c r="A1" t="inlineStr"><is><t>%b</t></is></c></row>' % (b"x" * 150_000_000)
    return _bomb(b"<worksheet %b><sheetData>%b</sheetData></worksheet>" % (_SPACE, row))


def _long_text_everywhere() -> bytes:
    rows = b'<row><c t="s"><v>0</v></c></row>' * 90_000
    strings = b"<sst %b><si><t>%b</t></si></sst>" % (_SPACE, b"x" * 100_000)
    return _bomb(b"<worksheet %b><sheetData>%b</sheetData></worksheet>" % (_SPACE, rows), strings)


@pytest.mark.parametrize("bomb", [_far_away, _endless_cell, _long_text_everywhere])
def test_a_workbook_that_would_fill_the_memory_is_refused(bomb: Callable[[], bytes]) -> None:
    data = bomb()
    assert len(data) < 1_000_000
    with pytest.raises(InvalidInput):
        read_sheet(data, "bomb.xlsx")


@given(st.binary(max_size=300))
def test_no_csv_brings_the_reader_down(data: bytes) -> None:
    try:
        read = read_sheet(data.lstrip(b"PK"), "a.csv")
    except InvalidInput as refused:
        assert str(refused)
    else:
        assert all(isinstance(cell, str) for _, cells in read.rows for cell in cells)


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        (["Förnamn", "Efternamn", "E-post", "Anteckningar"], ["first_name", "last_name", "email", "notes"]),
        (["ETUNIMI", "Sukunimi", "Sähköposti", "Huomautus"], ["first_name", "last_name", "email", "notes"]),
        (["First name", "Surname", "E-mail address", "Remarks:"], ["first_name", "last_name", "email", "notes"]),
        (["Namn", "Mejl*", "Ort", "Båtplats"], ["name", "email", "Ort", "Båtplats"]),
        (["namn", "ORT", "Hund"], ["name", "Ort", "Hund"]),
        (["E-post", "E-post", ""], ["email", "E-post 2", ""]),
        (["email", "status", "Status"], ["email", "Status", "Status 2"]),
        (['E-post "hem"', "namn"], ["E-post hem", "name"]),
    ],
)
def test_the_head_is_understood(head: list[str], columns: list[str]) -> None:
    assert read_head(head, ["Ort"]) == columns


def test_a_file_without_a_head_is_refused() -> None:
    with pytest.raises(InvalidInput):
        read_head(["Ida", "Berg", "ida@example.org"], [])


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ida Idunsson", "Ida", "Idunsson"),
        ("Ida Maria Idunsson", "Ida Maria", "Idunsson"),
        ("Idunsson, Ida Maria", "Ida Maria", "Idunsson"),
        ("Ida", "Ida", ""),
        ("", "", ""),
    ],
)
def test_a_whole_name_is_divided(name: str, first: str, last: str) -> None:
    assert divide_name(name) == (first, last)
