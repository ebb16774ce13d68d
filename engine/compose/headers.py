"""Header fields: short, folded, and never more than the one field they are meant to be (RFC 5322, RFC 2047).

Every value is first made one line of single spaces, so folding it only ever means a line break before a space, and
its relaxed canonical form (RFC 6376 3.4.2) is the value itself.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from engine.compose.form import cut_at

_LINE = 76
_LONGEST_LINE = 990
_WORD = 52  # with =?utf-8?B?…?= 64: a line has room for it and the field's name (RFC 2047 2)
_WORD_BYTES = _WORD // 4 * 3
_PLAIN = re.compile(r"[ -~]*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_BREAKS_OUT = re.compile(r"[\r\n\0 <>]")
_JOINER = "\u200d"  # holds composed emoji together
_Q = ["_" if byte == 32 else chr(byte) if chr(byte).isalnum() and byte < 128 else f"={byte:02X}" for byte in range(256)]
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def tidy(text: str) -> str:
    """One line of visible characters and single spaces, whatever came in."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    visible = "".join(mark if mark.isprintable() or mark == _JOINER else " " for mark in text)
    return " ".join(visible.split())


@lru_cache(maxsize=1024)
def unstructured(text: str) -> str:
    """Free text, as in Subject; in encoded words where it is not plain ASCII of ordinary word length."""
    line = tidy(text)
    needs_words = not _PLAIN.fullmatch(line) or "=?" in line or any(len(word) > _LINE - 10 for word in line.split(" "))
    return _encoded_words(line) if needs_words else line


def phrase(text: str) -> str:
    """A display name: bare atoms, a quoted string, or encoded words (RFC 5322 3.2.5)."""
    line = tidy(text)
    if "=?" not in line and len(line) < _LINE:
        if _ATOMS.fullmatch(line):
            return line
        if _PLAIN.fullmatch(line):
            escaped = line.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"' if line else ""
    return _encoded_words(line)


def mailbox(name: str, address: str) -> str:
    """A display name and an address; the address must be one that the register took."""
    if _BREAKS_OUT.search(address):
        raise ValueError("a header address holds what no address can")
    shown = phrase(name)
    return f"{shown} <{address}>" if shown else f"<{address}>"


@lru_cache(maxsize=1024)
def date(instant: datetime) -> str:
    """An instant as in a Date field (RFC 5322 3.3), in UTC."""
    day, month = _DAYS[instant.weekday()], _MONTHS[instant.month - 1]
    return f"{day}, {instant.day} {month} {instant.year:04} {instant:%H:%M:%S} +0000"


def fields(values: Mapping[str, str]) -> bytes:
    """Fields as they go over the wire, folded at spaces to 78 characters where the values allow it."""
    lines = [f"{name}: {value}" for name, value in values.items()]
    return "".join([f"{line if len(line) <= _LINE else _fold(line)}\r\n" for line in lines]).encode()


def canonical(values: Mapping[str, str]) -> bytes:
    """Fields in the relaxed form that is signed (RFC 6376 3.4.2)."""
    return "".join([f"{name.lower()}:{value}\r\n" for name, value in values.items()]).encode()


class Letterhead:
    """Fields that are written once for many mails, in both forms; marks stand where the mails differ."""

    def __init__(self, values: Mapping[str, str], marks: Sequence[str]) -> None:
        self._raw, self._canonical = cut_at(fields(values), marks), cut_at(canonical(values), marks)

    def fill(self, *fillings: str) -> tuple[bytes, bytes]:
        """The fields as they go over the wire and as they are signed, with a filling for each mark."""
        encoded = list(map(str.encode, fillings))
        return self._raw.fill(encoded), self._canonical.fill(encoded)


def _fold(line: str) -> str:
    lines: list[str] = []
    current = ""
    for word in line.split(" "):
        if current and len(current) + len(word) >= _LINE and (lines or not current.endswith(":")):
            lines.append(current)
            current = word
        else:
            current = f"{current} {word}" if current else word
    lines.append(current)
    if max(map(len, lines)) > _LONGEST_LINE:
        raise ValueError("a header word is too long for a line")
    return "\r\n ".join(lines)


def _encoded_words(line: str) -> str:
    """One Q word where all of it fits, which people can nearly read; else base64 words of whole characters."""
    quoted = "".join([_Q[byte] for byte in line.encode("utf-8", "replace")])
    if len(quoted) <= _WORD:
        return f"=?utf-8?Q?{quoted}?="
    return " ".join(f"=?utf-8?B?{b64encode(block).decode()}?=" for block in _blocks(line))


def _blocks(line: str) -> Iterator[bytes]:
    block = b""
    for mark in line:
        raw = mark.encode("utf-8", "replace")
        if len(block) + len(raw) > _WORD_BYTES:
            yield block
            block = b""
        block += raw
    yield block
