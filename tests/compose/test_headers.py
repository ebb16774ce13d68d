"""Header fields: whatever is put in, one field comes out."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.compose import headers

ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=400)


def _unfold(raw: bytes) -> str:
    return raw.decode().removesuffix("\r\n").replace("\r\n ", " ")


@given(ANY_TEXT)
def test_a_subject_is_one_field_of_short_lines_and_says_what_was_written(text: str) -> None:
    raw = headers.fields({"Subject": headers.unstructured(text)})
    assert raw.endswith(b"\r\n")
    assert not re.search(rb"\r\n(?! |$)|(?<!\r)\n|\r(?!\n)|\0", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert raw.isascii()
    assert str(make_header(decode_header(_unfold(raw)[len("Subject: ") :]))) == headers.tidy(text)


@given(ANY_TEXT)
def test_a_display_name_never_becomes_another_address(name: str) -> None:
    raw = headers.fields({"To": headers.mailbox(name, "ida@example.org")})
    assert not re.search(rb"\r\n(?! |$)|(?<!\r)\n|\r(?!\n)|\0", raw)
    value = _unfold(raw)[len("To: ") :]
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", value)
    assert re.findall(r"<([^>]*)>", bare) == ["ida@example.org"]
    assert "," not in bare
    assert "@" not in bare.replace("<ida@example.org>", "")


@given(ANY_TEXT)
def test_the_canonical_form_is_the_field_unfolded(text: str) -> None:
    value = headers.unstructured(text)
    raw, canonical = headers.fields({"Subject": value}), headers.canonical({"Subject": value})
    name, _, rest = raw.replace(b"\r\n ", b" ").partition(b":")
    assert canonical == name.lower() + b":" + re.sub(rb"[ \t]+", b" ", rest.strip()) + b"\r\n"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Anna Andersson", "Anna Andersson"),
        ("Anna (kansliet), Ek", '"Anna (kansliet), Ek"'),
        ('Anna "Ann" \\ Ek', '"Anna \\"Ann\\" \\\\ Ek"'),
        ("Åsa Ek", "=?utf-8?Q?=C3=85sa_Ek?="),
        ("=?x?Q?y?=", "=?utf-8?Q?=3D=3Fx=3FQ=3Fy=3F=3D?="),
        ("å" * 20, "=?utf-8?B?w6XDpcOlw6XDpcOlw6XDpcOlw6XDpcOlw6XDpcOlw6XDpcOlw6U=?= =?utf-8?B?w6U=?="),
        ("", ""),
        (" \r\n\t ", ""),
    ],
)
def test_a_display_name_is_written_as_plainly_as_it_may(name: str, shown: str) -> None:
    assert headers.phrase(name) == shown


@pytest.mark.parametrize("address", ["ida@x.se\r\nBcc: bo@x.se", "ida@x.se>", "i da@x.se", "i\0@x.se"])
def test_an_address_that_cannot_be_one_is_an_accident(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        headers.mailbox("Ida", address)


def test_a_word_too_long_for_any_line_is_an_accident() -> None:
    with pytest.raises(ValueError, match="long"):
        headers.fields({"List-Unsubscribe": f"<https://example.org/{'x' * 1000}>"})


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - zone beside
def test_a_date_is_read_back(instant: datetime) -> None:
    assert parsedate_to_datetime(headers.date(instant)) == instant.replace(microsecond=0)
