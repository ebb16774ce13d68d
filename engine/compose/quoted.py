"""Quoted-printable in pieces (RFC 2045 6.7): what is the same for all is encoded once, the holes when they are filled.

A hole stands between soft line breaks, so its neighbours stay as they are. No line ends in white space or has two
spaces in a row, so the relaxed canonical body that DKIM hashes (RFC 6376 3.4.4) is what goes over the wire, byte for
byte; no line begins with a dot or `From `, which servers on the way like to change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

SOFT = b"=\r\n"

_LINE = 73  # of the 76 allowed; guarding a line's beginning adds two, the soft break one
_LITERAL = frozenset(range(32, 127)) - {ord("=")}
_QUOTED = tuple(bytes([byte]) if byte in _LITERAL else b"=%02X" % byte for byte in range(256))
_NEEDS_NOTHING = re.compile(r"(?!From )[A-Za-z0-9%][A-Za-z0-9.,'%-]*(?: [A-Za-z0-9.,'%-]+)*")


def encode(text: str) -> bytes:
    """Encode a text with LF line ends; the result has CRLF ones."""
    return b"\r\n".join(_encode_line(line) for line in text.split("\n"))


@lru_cache(maxsize=4096)
def encode_filling(text: str) -> bytes:
    """Encode the filling of a hole, one line that stands alone between soft breaks."""
    return text.encode() if len(text) < _LINE and _NEEDS_NOTHING.fullmatch(text) else _encode_line(text)


def _encode_line(line: str) -> bytes:
    quoted = b"".join([_QUOTED[byte] for byte in line.encode("utf-8", "replace")]).replace(b"  ", b" =20")
    if quoted.endswith(b" "):
        quoted = quoted[:-1] + b"=20"
    return SOFT.join(_guard(short) for short in _wrap(quoted))


def _wrap(quoted: bytes) -> Iterator[bytes]:
    while len(quoted) > _LINE:
        end = _end_of_line(quoted)
        yield quoted[:end]
        quoted = quoted[end:]
    yield quoted


def _end_of_line(quoted: bytes) -> int:
    """Where to cut: behind a space where there is one, and never inside an `=XX`."""
    if (space := quoted.rfind(b" ", 0, _LINE)) > 0:
        return space + 1
    inside = quoted.rfind(b"=", _LINE - 2, _LINE)
    return _LINE if inside < 0 else inside


def _guard(line: bytes) -> bytes:
    if line.startswith((b".", b"From ")):
        return b"=%02X" % line[0] + line[1:]
    return line
