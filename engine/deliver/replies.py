"""Bytes from a receiver made into whole answers, within bounds; and an answer made into a Reply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from config.vocabulary import EnhancedStatus, Reply
from dsn_parser.reply import read_enhanced

MAX_REPLY_BYTES = 8192
MAX_REPLY_LINES = 100
_CODES = range(200, 600)
_LINES_BEFORE = frozenset(b"%d-" % code for code in _CODES)
_LAST_LINES = {b"%d%b" % (code, mark): code for code in _CODES for mark in (b" ", b"\r", b"")}
"""How the lines of an answer begin; a code may stand alone, with or without the CR."""


class NotSmtp(Exception):
    """What came is no SMTP answer, or none of a bearable size; the message quotes how it began."""


class Answer(NamedTuple):
    """One whole answer as it came: its code and every line."""

    code: int
    lines: Sequence[bytes]


class AnswerReader:
    """Cuts a stream into answers (RFC 5321 4.2), of at most 8 kB and 100 lines each."""

    __slots__ = ("_lines", "_rest", "_size")

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Answer]:
        """Yield each answer that is now whole; raises NotSmtp where the stream makes no sense."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._size += len(line)
            if self._size > MAX_REPLY_BYTES or len(self._lines) == MAX_REPLY_LINES:
                raise NotSmtp(f"an endless answer: {_quote(line)}")
            self._lines.append(line)
            if code := _LAST_LINES.get(line[:4]):
                answer = Answer(code, self._lines)
                self._lines, self._size = [], 0
                yield answer
            elif line[:4] not in _LINES_BEFORE:
                raise NotSmtp(_quote(line))
        if self._size + len(self._rest) > MAX_REPLY_BYTES:
            raise NotSmtp(_quote(self._rest))


def read_answer(answer: Answer) -> Reply:
    """The answer as a Reply."""
    return make_reply(answer.code, [line[4:].decode("utf-8", "replace") for line in answer.lines])


def make_reply(code: int, lines: Sequence[str]) -> Reply:
    """Code and lines as a Reply: the enhanced status (RFC 2034 4) taken off every line, control characters dropped."""
    enhanced, text = _split_status(lines[0])
    if len(lines) > 1:
        text = " ".join((text, *(_split_status(line)[1] for line in lines[1:])))
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    if enhanced is None and code >= 400:
        enhanced = read_enhanced(text)
    return Reply(code, enhanced, text.strip())


def _split_status(line: str) -> tuple[EnhancedStatus | None, str]:
    first, _, rest = line.strip().partition(" ")
    enhanced = _read_status(first) if "." in first else None
    return (enhanced, rest.strip()) if enhanced else (None, line.strip())


@lru_cache(256)
def _read_status(word: str) -> EnhancedStatus | None:
    parts = word.split(".")
    if len(parts) != 3 or parts[0] not in {"2", "4", "5"} or not all(_is_number(part) for part in parts):
        return None
    return EnhancedStatus(*map(int, parts))


def _is_number(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) <= 3


def _quote(line: bytes) -> str:
    return line[:80].decode("ascii", "backslashreplace").strip()
