"""Tells how the demo goes while it goes, and what came of it: for people as tables, for machines as JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

import orjson
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from config.vocabulary import AddressStatus, MessageStatus
from engine.mailing.explain import Explanation, Step
from scripts.demonstration.judge import Judgement

_WORDS_LENGTH = 90
_INSTANT = "%Y-%m-%d %H.%M"
_MISMATCHES_SHOWN = 20
_LINE_SECONDS = 5.0


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
        self._console.print(Text(f"{self._time(now)}  {sentence}"))

    def show(self, now: datetime, counts: Mapping[MessageStatus, int]) -> None:
        """Show how many messages stand where just now; once the board is put away, nothing more."""
        if not self._live.is_started:
            return
        standing = "  ".join(f"{status.label} {counts[status]}" for status in MessageStatus if counts.get(status))
        line = Text(f"{self._time(now)}  {standing}", style="dim")
        if self._console.is_terminal:
            self._live.update(line, refresh=True)
        elif time.monotonic() - self._printed >= _LINE_SECONDS:
            self._console.print(line)
            self._printed = time.monotonic()

    def _time(self, now: datetime) -> str:
        return f"day {(now.date() - self._start.date()).days:2} {now:%H.%M}"


def print_result(console: Console, result: Result) -> None:
    """Print both tables and the verdict."""
    console.print(_message_table(result))
    console.print(_card_table(result))
    for mismatch in result.judgement.mismatches[:_MISMATCHES_SHOWN]:
        line = f"{mismatch.about}: {mismatch.what} should be {mismatch.expected}, is {mismatch.found}"
        console.print(Text(line, style="red"))
    judgement = result.judgement
    console.print(
        f"{result.members} members, {result.sandbox_days:.0f} sandbox days in {result.wall_seconds:.0f} s: "
        f"mismatches {len(judgement.mismatches)}, lost {judgement.lost}, duplicates {judgement.duplicates} "
        f"(uncertain {judgement.uncertain}: sent again since the answer to the final dot was never seen)"
    )


def print_explanation(console: Console, explanation: Explanation) -> None:
    """Print why one member did not get a mailing; answers that repeat themselves are told once."""
    card = explanation.card
    console.print(Text(f"\nWhy didn't {card.first_name} get it?  (brevduva explain {card.email})", style="bold"))
    for sentence in filter(None, (explanation.headline, explanation.means, explanation.advice)):
        console.print(Text(sentence))
    for _, group in groupby(explanation.steps, key=lambda step: (step.status, step.words or step.title)):
        same = list(group)
        console.print(Text(_tell(same[0])))
        if len(same) > 1:
            console.print(Text(f"  … the same answer {len(same) - 1} times more, until {same[-1].at:{_INSTANT}}"))


def _tell(step: Step) -> str:
    said = f"  «{step.words}»" if step.words else ""
    return f"  {step.at:{_INSTANT}}  {step.title}{said}"


def write_json(path: Path, result: Result) -> None:
    path.write_bytes(result.to_json())


def _message_table(result: Result) -> Table:
    table = Table(title="Messages", title_justify="left", header_style="bold")
    for heading in ("status", "", "now", "ever", "as a receiver said it"):
        table.add_column(heading, justify="right" if heading in ("now", "ever") else "left", overflow="ellipsis")
    for status in MessageStatus:
        words = result.examples.get(status, "")[:_WORDS_LENGTH]
        counts = (str(mapping.get(status, 0)) for mapping in (result.messages, result.ever))
        table.add_row(status.value, status.label, *counts, escape(words))
    return table


def _card_table(result: Result) -> Table:
    table = Table(title="Addresses", title_justify="left", header_style="bold")
    for heading in ("status", "", "now"):
        table.add_column(heading, justify="right" if heading == "now" else "left")
    for status in AddressStatus:
        table.add_row(status.value, status.label, str(result.cards.get(status, 0)))
    return table
