"""A notice taken apart: the recipients it is about, and the words that belong to each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dsn_parser.prose.mentions import LINE_LIMIT, Mention, Part, find_mentions
from dsn_parser.prose.transcript import has_transcript, is_summary, read_transcript
from dsn_parser.scan import Pattern
from dsn_parser.words import alternatives, read_words

WORDS_LIMIT_CHARACTERS = 8 * 1024
RECIPIENT_LIMIT = 1000
SHARED_LIMIT = 20
"""Among so many recipients listed above it one reason is looked for."""

# Whole lines that never tell why, taken out in one pass over the notice.
_CHATTER = Pattern(r"(?im)^[^\n]*(?:" + alternatives("chatter") + r")[^\n]*$")

# Sentences of the mailer's own that would be taken for a reason, wherever lines break in them.
_FRAME = Pattern(r"(?i)" + "|".join(expression.replace(" ", r"\s+") for expression, _ in read_words("frame")))

# "… The reason for the problem: 550 …": the last words that a mailer says before the answer.
_LEAD = Pattern(r"(?i)(?:" + alternatives("reason_label") + ")")

# A sentence above the list that tells why, where under each name stands only the mailer's code word (au, EZweb).
_HEADLINE = Pattern(r"(?i)^\s*the user\(s\) account is ")


@dataclass(slots=True)
class Notice:
    """What a notice says: to all, and of each recipient by key (the address in lower case)."""

    common: list[str] = field(default_factory=list)
    of_recipient: dict[str, list[str]] = field(default_factory=dict)
    spelled: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def recipients(self) -> list[str]:
        return list(self.spelled.values())

    def candidates_for(self, recipient: str) -> Iterator[str]:
        """The texts that may tell why, the surest first: headline, the other server's answer, own words, the rest."""
        yield " ".join(line for line in self.common if _HEADLINE.matches(line))
        yield self.answers.get(recipient.lower()) or self.answers.get("", "")
        own = self.words_for(recipient)
        yield behind_label(own)
        yield own
        yield behind_label(self.words_for_all)
        yield self.words_for_all

    def words_for(self, recipient: str) -> str:
        """The words about one recipient; where nothing was said under its name, those under the next that has any."""
        names = list(self.of_recipient)
        key = recipient.lower()
        start = names.index(key) if key in names else len(names)
        following = names[start : start + SHARED_LIMIT] or (names if len(names) == 1 else [])
        return next((text for name in following if (text := _join(self.of_recipient[name], name))), "")

    @property
    def words_for_all(self) -> str:
        return _join(self.common, "")


def read_notice(text: str, named: tuple[str, ...] = (), ours: frozenset[str] = frozenset()) -> Notice:
    """Take a notice apart.

    `named` are recipients known from headers or fields, and then no other is looked for; `ours` are the addresses that
    the mail came from (lower case), which are only meant where there is no other.
    """
    mentions = find_mentions(text)
    notice = Notice()
    for mention in _choose(mentions, named, ours):
        notice.spelled.setdefault(mention.key, mention.address)
    for name in named:
        notice.spelled.setdefault(name.lower(), name)
    _deal_out(_CHATTER.replace(text, "").split("\n")[:LINE_LIMIT], mentions, notice)
    if "<<<" in text:
        notice.answers = read_transcript(text.split("\n")[:LINE_LIMIT])
    return notice


def names_anybody(text: str) -> bool:
    """Tell whether a notice names anybody it is about."""
    return bool(_choose(find_mentions(text)))


def _choose(
    mentions: tuple[Mention, ...], named: tuple[str, ...] = (), ours: frozenset[str] = frozenset()
) -> list[Mention]:
    if named:
        keys = {name.lower() for name in named}
        return [mention for mention in mentions if mention.key in keys]
    candidates = [mention for mention in mentions if mention.part < Part.HEADER]
    candidates = [mention for mention in candidates if mention.key not in ours] or candidates
    surest = min((mention.part for mention in candidates), default=Part.BYSTANDER)
    return [mention for mention in candidates if mention.part == surest][:RECIPIENT_LIMIT]


def _deal_out(lines: list[str], mentions: tuple[Mention, ...], notice: Notice) -> None:
    """Give each line to the recipient last spoken of, those before the first to all."""
    turns = {m.line: m for m in reversed(mentions) if m.key in notice.spelled and m.part < Part.HEADER}
    aliases = {m.line: m.address for m in mentions if m.part is Part.ALIAS}
    answered = has_transcript(lines)
    current = ""
    for number, line in enumerate(lines):
        current = turns[number].key if number in turns else current
        if current and number in aliases:
            notice.aliases.setdefault(current, aliases[number])
        words = line.strip()
        if not words or (answered and is_summary(words)) or _announces_another(current, number, lines, turns):
            continue
        (notice.of_recipient.setdefault(current, []) if current else notice.common).append(words)


def _announces_another(current: str, number: int, lines: list[str], turns: dict[int, Mention]) -> bool:
    """ "The following recipients did not receive your message:" above an address says nothing of the one before."""
    if not current or number in turns or not lines[number].rstrip().endswith(":"):
        return False
    return any(later in turns and turns[later].key != current for later in range(number + 1, number + 3))


def _join(lines: list[str], address: str) -> str:
    """The lines as one text, "" where they hold nothing but the address itself."""
    text = without_frame(" ".join(lines)[:WORDS_LIMIT_CHARACTERS])
    bare = text.lower().replace(address, "") if address else text
    return text if any(character.isalnum() for character in bare) else ""


def without_frame(text: str) -> str:
    """The text without the sentences that mailers set around an answer."""
    return _FRAME.replace(text, "")


def behind_label(text: str) -> str:
    """What stands behind the last label that leads over to the reason; "" where there is none."""
    return _LEAD.after_last(text).strip()
