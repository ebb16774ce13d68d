"""Every address in a notice, with the part it plays there: the one that failed, or one that is only spoken of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from dsn_parser.address import find_addresses
from dsn_parser.scan import Pattern
from dsn_parser.words import alternatives

LINE_LIMIT = 600
CONTEXT_CHARACTERS = 160


class Part(IntEnum):
    """How surely a mentioned address is a recipient that the notice is about; lower is surer."""

    HEADING = 1  # stands at the head of its line, or after "recipient:"
    COMMAND = 2  # was named in RCPT TO of a session
    SENTENCE = 3  # stands somewhere in a sentence
    ALIAS = 4  # another name of the recipient: "expanded from", "generated from"
    HEADER = 5  # stands in a quoted To: line
    BYSTANDER = 6  # a sender, a postmaster, somebody to ask


@dataclass(frozen=True, slots=True)
class Mention:
    """An address at a line of the notice."""

    address: str
    line: int
    part: Part

    @property
    def key(self) -> str:
        return self.address.lower()


_CLOSE = r"""(?: is| was| to)?[\s:：<(\[\"'=;*-]*(?:smtp:|rfc822;)?[\s<(\"'\[]*$"""
_ALIAS = Pattern(r"(?i)(?:" + alternatives("alias") + ")" + _CLOSE)
_BYSTANDER = Pattern(r"(?i)(?:^|[^a-z])(?:" + alternatives("bystander") + ")" + _CLOSE)
_LABEL = Pattern(
    r"(?i)(?:(?:^|[^a-z])(?:" + alternatives("label") + ")|" + alternatives("label_anywhere") + ")" + _CLOSE
)
_COMMAND = Pattern(r"(?i)rcpt[ _]to\s*:?\s*[<(\"']*$")
_HEADER = Pattern(r"(?i)^[\s>*]*(?:to|an|till|a|para|vastaanottaja)\s*:\s*[^@]{0,80}$")
_SENDER = Pattern(r"(?i)^[\s>*]*(?:original )?(?:from|fr.n|von|de|sender|reply-to|return-path|b?cc)\s*:")
_CODE = r"[45]\d\d[ -](?:[45]\.\d{1,3}\.\d{1,3}\s*)?"
_BULLET = Pattern(r"(?i)^[\s>*\-–•·|#+=]*(?:(?:\d{1,3}[.)]|\(\d{1,3}\)|\[?smtp:|" + _CODE + r")\s*)?[<(\"'\[«]*$")
_POSITIVE_ANSWER = Pattern(r"(?i)(?:^|<--|<<<|out:|s:|<-|< )\s*25[01][ -]")
_ROLES = frozenset(
    {"postmaster", "mailer-daemon", "mailer_daemon", "abuse", "support", "helpdesk", "hostmaster", "webmaster", "noc"}
)
_SMALL_WORDS = frozenset(["if", "and", "or", "for", "who", "with", "to"])
_LIST_MARKS = frozenset({",", ";", "and", "och", "und", "&"})
_WITHOUT_QUOTES = str.maketrans("", "", " \t<>\"'(*-")


@lru_cache(maxsize=2)
def find_mentions(text: str) -> tuple[Mention, ...]:
    """Return every mention of an address in a notice, in order; asked twice a mail, so the last answers are kept."""
    lines = text.split("\n")[:LINE_LIMIT]
    pairs = enumerate(lines)
    return tuple(m for number, line in pairs if "@" in line or "(a)" in line for m in _mentions_in(line, number, lines))


def _mentions_in(line: str, number: int, lines: list[str]) -> Iterator[Mention]:
    position = 0
    part: Part | None = None
    for address in find_addresses(line):
        start = line.find(address, position)
        if start < 0:
            start = position
        end = start + len(address)
        if part is None or line[position:start].translate(_WITHOUT_QUOTES) not in _LIST_MARKS:
            before = _context(line[:start], number, lines)
            part = _part_of(address, before, line[:start], line[end:], _next_line(number, lines))
        yield Mention(address, number, part)
        position = end


def _context(before: str, number: int, lines: list[str]) -> str:
    """What was said just before: on the same line, else at the end of the line above where a sentence runs on."""
    if before.translate(_WITHOUT_QUOTES):
        return before[-CONTEXT_CHARACTERS:]
    above = lines[number - 1].rstrip() if number else ""
    return above[-CONTEXT_CHARACTERS:] + " " if above and above[-1] not in ":.;>" else ""


def _next_line(number: int, lines: list[str]) -> str:
    return lines[number + 1].strip() if number + 1 < len(lines) else ""


def _part_of(address: str, context: str, before: str, after: str, next_line: str) -> Part:
    if _ALIAS.matches(context):
        return Part.ALIAS
    if _is_display_name(after):
        return Part.BYSTANDER
    if _COMMAND.matches(context):
        return Part.BYSTANDER if _POSITIVE_ANSWER.matches(next_line) else Part.COMMAND
    if _BYSTANDER.matches(context) or _SENDER.matches(before):
        return Part.BYSTANDER
    return _part_of_recipient(address.partition("@")[0].lower() in _ROLES, context, before, after)


def _part_of_recipient(is_role: bool, context: str, before: str, after: str) -> Part:
    """A postmaster is meant only where it heads its line; everybody else as the words before tell."""
    if _HEADER.matches(before):
        return Part.HEADER
    if _BULLET.matches(before) and _may_head(after) and not _runs_on(context, after):
        return Part.HEADING
    if is_role:
        return Part.BYSTANDER
    return Part.HEADING if _LABEL.matches(context) else Part.SENTENCE


def _is_display_name(after: str) -> bool:
    """`ida@example.org <ola@example.org>` speaks of ola."""
    rest = after.lstrip("\"' ")
    return rest.startswith("<") and "@" in rest.partition(">")[0]


def _runs_on(context: str, after: str) -> bool:
    """A sentence that began in the line above goes on behind the address."""
    return " " in context.strip() and after.strip(" >\"'")[:1].islower()


def _may_head(after: str) -> bool:
    """A heading ends, or goes on with punctuation or with the reason; a sentence goes on with a small word."""
    rest = after.strip(" \t>\"'»")
    first = rest.partition(" ")[0].lower()
    return not rest or not first.isalpha() or first not in _SMALL_WORDS
