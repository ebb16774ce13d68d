"""Session transcripts as Sendmail writes them: what the other server said, apart from Sendmail's own summing-up."""

from __future__ import annotations

from dsn_parser.address import find_addresses
from dsn_parser.scan import Pattern

# "550 5.1.1 <ida@example.org>... User unknown": Sendmail says "User unknown" for nearly every 5xx to RCPT or DATA.
_SUMMARY = Pattern(r"^\s*[45]\d\d(?: [45]\.\d{1,3}\.\d{1,3})? .{1,320}?\.\.\. ")
_ANSWER = "<<<"
_COMMAND = ">>>"
_POSITIVE = ("2", "3")


def has_transcript(lines: list[str]) -> bool:
    """Tell whether the words of another server stand among the lines."""
    return any(line.lstrip().startswith(_ANSWER) for line in lines)


def is_summary(line: str) -> bool:
    """Tell Sendmail's own conclusion, which says less than the answer above it."""
    return "... " in line and _SUMMARY.matches(line)


def read_transcript(lines: list[str]) -> dict[str, str]:
    """What the other server said of each address (lower case), told by the summary below the answer.

    A summary without an answer above it is all that there is, and then counts itself.
    """
    said: dict[str, list[str]] = {}
    answers: list[str] = []
    for line in lines:
        words = line.strip()
        if words.startswith(_COMMAND) or "while talking to" in words.lower():
            answers = []
        elif words.startswith(_ANSWER):
            answers += [] if words[3:].lstrip().startswith(_POSITIVE) else [words[3:].strip()]
        elif is_summary(words):
            named = find_addresses(words.partition("... ")[0])
            for address in named:
                said.setdefault(address.lower(), []).extend(answers or [words])
            answers = answers if named else []
    return {address: " ".join(dict.fromkeys(words)) for address, words in said.items()}
