"""Session transcripts as Sendmail writes them: what the other server said, apart from Sendmail's own summing-up."""

from __future__ import annotations

from dsn_parser.address import find_addresses
from dsn_parser.scan import Pattern

# "550 5.1.1 <ida@example.org>... User unknown": Sendmail says "User unknown" for nearly every 5xx to RCPT or DATA.
_SUMMARY = Pattern(r"^\s*[45]\d\d(?: [45]\.\d{1,3}\.\d{1,3})? .{1,320}?\.\.\. ")
# "554 5.0.0 Service unavailable" below an answer: how Sendmail translates a refusal of MAIL or DATA for itself.
_TRANSLATION = Pattern(r"(?i)^\s*[45]\d\d(?: [45]\.\d{1,3}\.\d{1,3})? (?:service unavailable|data format error)\s*$")
_ANSWER = "<<<"
_COMMAND = ">>>"
_EARLY_COMMAND = Pattern(r"(?i)^>>>\s*(mail from|ehlo|helo|starttls)\b")
_POSITIVE = ("2", "3")


def has_transcript(lines: list[str]) -> bool:
    """Tell whether the words of another server stand among the lines."""
    return any(line.lstrip().startswith(_ANSWER) for line in lines)


def is_summary(line: str) -> bool:
    """Tell Sendmail's own conclusion, which says less than the answer above it."""
    return ("... " in line and _SUMMARY.matches(line)) or (line[:1] in "45" and _TRANSLATION.matches(line))


def read_transcript(lines: list[str]) -> dict[str, str]:
    """What the other server said of each address (lower case), told by the summary below the answer.

    A summary without an answer above it is all that there is, and then counts itself; an answer without a summary is
    about everybody, under "". An answer to a command before RCPT says so, for then nobody was named yet.
    """
    said: dict[str, list[str]] = {}
    answers: list[str] = []
    stage = ""
    for line in lines:
        words = line.strip()
        if words.startswith(_COMMAND) or "while talking to" in words.lower():
            answers = []
            stage = _EARLY_COMMAND.find(words)
        elif words.startswith(_ANSWER):
            reply = f"{words[3:].strip()} (in reply to {stage} command)" if stage else words[3:].strip()
            answers += [] if reply.startswith(_POSITIVE) else [reply]
        elif is_summary(words):
            named = find_addresses(words.partition("... ")[0])
            for address in named:
                own = [answer for answer in answers if _may_speak_of(address, answer)]
                said.setdefault(address.lower(), []).extend(own or [words])
            answers = answers if named else []
    if answers and not said:
        said[""] = answers
    return {address: " ".join(dict.fromkeys(words)) for address, words in said.items()}


def _may_speak_of(address: str, answer: str) -> bool:
    """An answer that names somebody is about nobody else; Sendmail found out alone what stands below it."""
    named = [other.lower() for other in find_addresses(answer)]
    return not named or address.lower() in named
