"""Whatever the bytes, a report comes out, and the same one each time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dsn_parser.address import find_addresses, read_address
from dsn_parser.headers import split_parameters
from dsn_parser.mail import read_mail
from dsn_parser.original import split_notice
from dsn_parser.prose.notice import read_notice
from dsn_parser.read_report import read_report
from dsn_parser.text import decode_text, decode_transfer, decode_words

FIELD = st.sampled_from(
    [
        "From: ",
        "Subject: ",
        "Content-Type: ",
        "Final-Recipient: ",
        "Action: ",
        "Diagnostic-Code: ",
        "X-Failed-Recipients: ",
    ]
)
VALUE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["multipart/report; boundary=b", "message/delivery-status", "rfc822; a@b.example"]),
)
LINE = st.one_of(
    st.builds(str.__add__, FIELD, VALUE),
    st.text(max_size=80),
    st.sampled_from(["", "--b", "--b--", "<a@b.example>:", "550 5.1.1 no"]),
)
MAIL = st.lists(LINE, max_size=40).map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass"))


@given(st.one_of(st.binary(max_size=2000), MAIL))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_a_report(raw: bytes) -> None:
    assert read_report(raw) == read_report(raw)


@given(st.text(max_size=500))
@settings(deadline=None)
def test_any_text_gives_a_notice_that_is_part_of_it(text: str) -> None:
    notice, quoted = split_notice(text)
    assert notice + quoted == text
    assert all(address.rpartition("@")[0] in text for address in read_notice(text.replace("(a)", "")).recipients)


@given(st.text(max_size=300))
@settings(deadline=None)
def test_any_text_is_searched_for_addresses(text: str) -> None:
    assert all("@" in address for address in find_addresses(text))
    read_address(text)
    split_parameters(text)
    decode_words(text)


@given(st.binary(max_size=500), st.sampled_from(["base64", "quoted-printable", "8bit", ""]), st.text(max_size=20))
@settings(deadline=None)
def test_any_bytes_become_text(body: bytes, encoding: str, charset: str) -> None:
    decode_text(decode_transfer(body, encoding), charset, is_html=True)


@given(st.lists(st.text(alphabet="abc", min_size=1, max_size=20), min_size=1, max_size=10))
@settings(deadline=None)
def test_what_is_written_as_parts_is_read_as_parts(texts: list[str]) -> None:
    body = "".join(f"--gran\nContent-Type: text/plain\n\n{text}\n" for text in texts)
    mail = read_mail(f"Content-Type: multipart/mixed; boundary=gran\n\n{body}--gran--\n".encode())
    assert [part.text for part in mail.parts] == texts
