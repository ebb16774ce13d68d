"""The holes in a mailing: `%NAME%` and its kin, and the links that differ from member to member.

While a body is rendered to HTML each hole is one private character, which no renderer touches and no text of a person
may hold. Afterwards the text is cut at the holes, once a mailing; what a member is called is filled in at the end and
is never read as Markdown, HTML or a placeholder again.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote


class Hole(StrEnum):
    """What is filled in for a member."""

    NAME = "NAME"
    FIRST_NAME = "FIRST_NAME"
    LAST_NAME = "LAST_NAME"
    UNSUBSCRIBE = "UNSUBSCRIBE"
    CONFIRM = "CONFIRM"


NAMES = (Hole.NAME, Hole.FIRST_NAME, Hole.LAST_NAME)
"""The holes that a person may write, as in `%FIRST_NAME%`."""

SIGN = {hole: chr(0xE000 + number) for number, hole in enumerate(Hole)}
"""The private character that stands for a hole while a body is rendered."""

_HOLE_OF = {sign: hole for hole, sign in SIGN.items()} | {quote(sign): hole for hole, sign in SIGN.items()}
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_SIGN = re.compile("|".join(map(re.escape, _HOLE_OF)))
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
_WRITTEN = re.compile(f"%({'|'.join(NAMES)})%")
_UNKNOWN = re.compile(r"%[A-ZÅÄÖ_]{2,30}%")


@dataclass(frozen=True, slots=True)
class Slot:
    """One hole in a text and how its filling is escaped there."""

    hole: Hole
    escape: Callable[[str], str]


def as_text(value: str) -> str:
    return value


def as_html(value: str) -> str:
    return html.escape(value)


def as_url(value: str) -> str:
    return value if _UNRESERVED.fullmatch(value) else quote(value, safe="")


def mark_holes(text: str) -> str:
    """Put the private character in place of every placeholder; private characters that came along are dropped."""
    return _WRITTEN.sub(lambda written: SIGN[Hole(written[1])], _PRIVATE.sub("", text))


def cut(text: str, escape: Callable[[str], str]) -> Iterator[str | Slot]:
    """The pieces of a rendered text and its holes, in turn, beginning and ending with a piece.

    A hole that stands in a link was quoted on the way (RFC 3986 2.1) and its filling will be too.
    """
    end = 0
    for sign in _SIGN.finditer(text):
        yield text[end : sign.start()]
        yield Slot(_HOLE_OF[sign[0]], as_url if sign[0].startswith("%") else escape)
        end = sign.end()
    yield text[end:]


def unknown_placeholders(text: str) -> list[str]:
    """What looks like a placeholder but is none, in order, so that a person can be warned."""
    return list(dict.fromkeys(found for found in _UNKNOWN.findall(text) if not _WRITTEN.fullmatch(found)))
