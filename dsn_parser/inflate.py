"""Attached reports unpacked within a limit: gzip, zip or plain, and never more than 25 MB (THREATS, Parser)."""

from __future__ import annotations

import io
import zipfile
import zlib

from dsn_parser.headers import OverLimitError
from dsn_parser.mail import Part

INFLATED_LIMIT_BYTES = 25 * 1000 * 1000
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


def unpack(part: Part) -> bytes:
    """Return the report inside an attachment; raises OverLimitError past 25 MB, ValueError where it is damaged."""
    content = part.content
    if content.startswith(_GZIP):
        return _gunzip(content)
    if content.startswith(_ZIP):
        return _unzip(content)
    return _within_limit(content)


def is_packed(part: Part) -> bool:
    """Tell whether the attachment is gzip or zip by its first bytes, whatever its type says."""
    return part.content[:4].startswith((_GZIP, _ZIP))


def _gunzip(content: bytes) -> bytes:
    machine = zlib.decompressobj(wbits=31)
    try:
        inflated = machine.decompress(content, INFLATED_LIMIT_BYTES + 1)
    except zlib.error as damage:
        raise ValueError("damaged gzip") from damage
    return _within_limit(inflated)


def _unzip(content: bytes) -> bytes:
    """Of a zip the first file is read; its stated size is not believed, only what comes out is counted.

    `zipfile` raises NotImplementedError for a way of packing it does not know, RuntimeError for a password.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(archive.infolist()[0]) as member:
            return _within_limit(member.read(INFLATED_LIMIT_BYTES + 1))
    except (zipfile.BadZipFile, zlib.error, EOFError, IndexError, NotImplementedError, RuntimeError, OSError) as damage:
        raise ValueError("damaged zip") from damage


def _within_limit(content: bytes) -> bytes:
    if len(content) > INFLATED_LIMIT_BYTES:
        raise OverLimitError("inflated report")
    return content
