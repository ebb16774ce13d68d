"""Tells how the demo goes while it goes, and what came of it: for people as tables, for machines as JSON."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from config.vocabulary import AddressStatus, MessageStatus
from engine.mailing.explain import Explanation, Step
from scripts.demonstration.judge import Judgement

_INSTANT = "%Y-%m-%d %H.%M"
_WIDTH_WITHOUT_TERMINAL = 140
_WIDTH_WITHOUT_WORDS, _LEAST_WORDS, _LINES_OF_WORDS = 58, 20, 2
_MISMATCHES_SHOWN = 20
_LINE_SECONDS = 5.0
_GOOD, _WAITING, _BAD, _BY_THE_MEMBER = "green", "yellow", "red", "magenta"
_STYLES = {
    MessageStatus.SENT: _GOOD,
    MessageStatus.UNKNOWN: _WAITING,
    MessageStatus.SOFT_BOUNCED: _WAITING,
    MessageStatus.DEFERRED: _WAITING,
    MessageStatus.BOUNCED: _BAD,
    MessageStatus.INVALID: _BAD,
    MessageStatus.BLOCKED: _BAD,
    MessageStatus.SPAM: _BY_THE_MEMBER,
    MessageStatus.UNSUBSCRIBED: _BY_THE_MEMBER,
}


@dataclass(frozen=True, slots=True)
class Result:
    """Everything the demo has found out."""

    members: int
    messages: Mapping[MessageStatus, int]
    ever: Mapping[MessageStatus, int]
    examples: Mapping[MessageStatus, str]
    cards: Mapping[AddressStatus, int]
    judgement: Judgement
    sandbox_days: float
    wall_seconds: float

    def to_json(self) -> bytes:
        """The final table for machines."""
        fields = {
            "members": self.members,
            "messages": {status.value: self.messages.get(status, 0) for status in MessageStatus},
            "cards": {status.value: self.cards.get(status, 0) for status in AddressStatus},
            "mismatches": [asdict(mismatch) for mismatch in self.judgement.mismatches],
            "lost": self.judgement.lost,
            "duplicates": self.judgement.duplicates,
            "uncertain": self.judgement.uncertain,
            "sandbox_days": round(self.sandbox_days, 2),
            "wall_seconds": round(self.wall_seconds, 2),
        }
        return orjson.dumps(fields, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


class Board:
    """What is seen while the demo runs: a line for each thing done, and under them how the messages stand.

    Where nobody watches a terminal, how they stand is printed as a line now and then.
    """

    def __init__(self, console: Console, start: datetime) -> None:
        self._console, self._start = console, start
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._printed = time.monotonic()

    def __enter__(self) -> Board:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, now: datetime, sentence: str) -> None:
        self._console.print(_beside((self._time(now), Text(sentence))))

    def show(self, now: datetime, counts: Mapping[MessageStatus, int]) -> None:
        """Show how many messages stand where just now; once the board is put away, nothing more."""
        if not self._live.is_started:
            return
        line = _beside((self._time(now), _standing(counts)))
        if self._console.is_terminal:
            self._live.update(line, refresh=True)
        elif time.monotonic() - self._printed >= _LINE_SECONDS:
            self._console.print(line)
            self._printed = time.monotonic()

    def _time(self, now: datetime) -> str:
        return f"day {(now.date() - self._start.date()).days:2} {now:%H.%M}"


def make_console() -> Console:
    """As wide as the terminal; in a pipe or a file, wide enough for what receivers say."""
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_WITHOUT_TERMINAL
    return console


def print_result(console: Console, result: Result) -> None:
    """Print both tables, everything that is wrong, and the verdict."""
    console.print(_card_table(result))
    console.print(_message_table(result, console.width))
    judgement = result.judgement
    for mismatch in judgement.mismatches[:_MISMATCHES_SHOWN]:
        line = f"{mismatch.about}: {mismatch.what} should be {mismatch.expected}, is {mismatch.found}"
        console.print(Text(line, style=_BAD))
    verdict = "Every mail and every card is as it must be" if judgement.is_clean else "Not everything is as it must be"
    console.print(
        Text(f"{verdict}: ", style=f"bold {_GOOD if judgement.is_clean else _BAD}").append(
            f"mismatches {len(judgement.mismatches)}, lost {judgement.lost}, duplicates {judgement.duplicates} "
            f"({judgement.uncertain} sent again since the answer to the final dot was never seen).",
            style="not bold",
        )
    )
    told = f"{result.members} members, {result.sandbox_days:.0f} sandbox days in {result.wall_seconds:.0f} s."
    console.print(Text(told))


def print_explanation(console: Console, explanation: Explanation) -> None:
    """Print why one member did not get a mailing; answers that repeat themselves are told once."""
    card = explanation.card
    console.print(Text(f"\nWhy didn't {card.first_name} get it?  (brevduva explain {card.email})", style="bold"))
    for sentence in filter(None, (explanation.headline, explanation.means, explanation.advice)):
        console.print(Text(sentence))
    console.print(_beside(*_told_once(explanation.steps)))


def _told_once(steps: Sequence[Step]) -> Iterator[tuple[str, Text]]:
    for _, group in groupby(steps, key=lambda step: (step.status, step.words or step.title)):
        first, *more = group
        yield f"{first.at:{_INSTANT}}", Text(_tell(first))
        if more:
            yield "", Text(f"… the same answer {len(more)} times more, until {more[-1].at:{_INSTANT}}")


def _tell(step: Step) -> str:
    return f"{step.title}  «{step.words}»" if step.words else step.title


def _beside(*news: tuple[str, Text]) -> Table:
    """Instants, and beside each what happened, folded within its own column."""
    lines = Table.grid(padding=(0, 2, 0, 0))
    lines.add_column(style="dim", no_wrap=True)
    lines.add_column()
    for when, what in news:
        lines.add_row(when, what)
    return lines


def _standing(counts: Mapping[MessageStatus, int]) -> Text:
    parts = (Text(f"{one.label} {counts[one]}", style=_STYLES.get(one, "")) for one in MessageStatus if counts.get(one))
    return Text("  ").join(parts)


def write_json(path: Path, result: Result) -> None:
    path.write_bytes(result.to_json())


def _message_table(result: Result, width: int) -> Table:
    table = _make_table("Messages", "status", "", "now", "ever", "as a receiver said it")
    for status in MessageStatus:
        counts = (_count(mapping.get(status, 0)) for mapping in (result.messages, result.ever))
        words = Text(result.examples.get(status, ""))
        words.truncate(_LINES_OF_WORDS * max(width - _WIDTH_WITHOUT_WORDS, _LEAST_WORDS), overflow="ellipsis")
        table.add_row(Text(status.value, style=_STYLES.get(status, "")), status.label, *counts, words)
    return table


def _card_table(result: Result) -> Table:
    table = _make_table("Addresses", "status", "", "now")
    for status in AddressStatus:
        style = _BAD if status.is_problem else _GOOD if status is AddressStatus.CONFIRMED else ""
        table.add_row(Text(status.value, style=style), status.label, _count(result.cards.get(status, 0)))
    return table


def _make_table(title: str, *headings: str) -> Table:
    table = Table(title=f"\n{title}", title_justify="left", title_style="bold", header_style="dim", box=SIMPLE_HEAD)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in ("now", "ever") else "left")
    return table


def _count(number: int) -> Text:
    return Text(str(number), style="" if number else "dim")
