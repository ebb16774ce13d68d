"""Transfer encodings, character sets, RFC 2047 words and HTML undone: what cannot be read is replaced."""

from __future__ import annotations

import binascii
from html import unescape

from dsn_parser.scan import Pattern

DECODE_LIMIT_BYTES = 256 * 1024
"""Of a text part only so much is decoded; the notice stands at its beginning."""

_WORD = Pattern(r"=\?[^?\s]{1,40}\?[BbQq]\?[^?]*\?=")
_BREAKS = Pattern(r"(?i)<(?:br|/p|/div|/tr|/li|/h\d|p|div|tr|hr|li)\b[^<>]*>")
_HIDDEN = Pattern(r"(?is)<(?:style|script|head)\b.*?</(?:style|script|head)>")
_TAGS = Pattern(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>|<![^<>]*>")
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_NOT_BASE64 = bytes(set(range(256)) - _BASE64)


def decode_transfer(body: bytes, encoding: str) -> bytes:
    """Undo quoted-printable or base64 (RFC 2045 6); damaged base64 gives what can be read of it."""
    match encoding.strip().lower():
        case "quoted-printable":
            return binascii.a2b_qp(body)
        case "base64":
            clean = body.translate(None, _NOT_BASE64)
            return binascii.a2b_base64(clean[: len(clean) - len(clean) % 4] + _tail(clean))
        case _:
            return body


def _tail(clean: bytes) -> bytes:
    rest = clean[len(clean) - len(clean) % 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def decode_text(content: bytes, charset: str, *, is_html: bool = False) -> str:
    """Decode by the named character set, else UTF-8, else Latin-1."""
    text = _decode(content[:DECODE_LIMIT_BYTES], charset.strip().strip("'\"").lower())
    return _strip_html(text) if is_html else text


def _decode(content: bytes, charset: str) -> str:
    if b"\x1b$" in content:
        charset = "iso2022_jp_2"
    if content.isascii() and not charset.startswith(("utf-16", "utf-32", "utf-7", "iso2022", "iso-2022", "hz")):
        return content.decode("ascii")
    for candidate in (charset, "utf-8"):
        if candidate in ("", "us-ascii", "ascii"):
            continue
        try:
            return content.decode(candidate, "strict" if candidate == "utf-8" else "replace")
        except (LookupError, UnicodeError, ValueError):
            continue
    return content.decode("latin-1")


def _strip_html(text: str) -> str:
    text = _HIDDEN.replace(text, " ")
    text = _BREAKS.replace(text.replace("\n", " "), "\n")
    return unescape(_TAGS.replace(text, " "))


def decode_words(value: str) -> str:
    """Decode the encoded words of a header value (RFC 2047 2)."""
    if "=?" not in value:
        return value
    joined = value.replace("?= =?", "?==?")
    for word in _WORD.find_all(joined):
        joined = joined.replace(word, _decode_word(word), 1)
    return joined


def _decode_word(word: str) -> str:
    charset, encoding, payload = word[2:-2].split("?", 2)
    raw = payload.encode("utf-8", "replace")
    if encoding in "Bb":
        return _decode(decode_transfer(raw, "base64"), charset.partition("*")[0].lower())
    return _decode(binascii.a2b_qp(raw, header=True), charset.partition("*")[0].lower())
