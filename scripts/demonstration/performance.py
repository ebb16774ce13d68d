"""One performance of the demo: stage, story, judge and report put together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from config.vocabulary import AddressStatus, MessageStatus
from engine.lifecycle import FINAL
from engine.mailing.explain import Explanation, explain
from engine.sandbox.characters import CHARACTERS
from engine.sandbox.people import ASSOCIATIONS, People, make_people
from engine.sandbox.receiver_log import read_receipts
from engine.store import cards, history
from scripts.demonstration.books import Books, read_books
from scripts.demonstration.driver import Driver
from scripts.demonstration.judge import Mismatch, judge
from scripts.demonstration.report import Board, Result, print_explanation, print_result
from scripts.demonstration.stage import START, Stage, set_stage
from scripts.demonstration.story import Story

_LOOK_SECONDS = 0.25
_UNLUCKY = "is_full_for_ever"
_UNTRACKED = {MessageStatus.OPENED, MessageStatus.CLICKED}


async def perform(
    console: Console, members: int, seed: int, *, done: Callable[[Result], None], keep: bool = False
) -> None:
    """Play it all, print what came of it, hand the result to `done`; with `keep`, stay up until cancelled."""
    began = time.monotonic()
    people = make_people(members, seed)
    with TemporaryDirectory(prefix="brevduva-demo-") as folder:
        async with set_stage(people, Path(folder)) as stage:
            with Board(console, START) as board:
                driver = Driver(stage, _Watch(stage, board).look)
                story = Story(stage, people, driver, board.say)
                await story.tell()
            result = await _conclude(stage, story, people, time.monotonic() - began)
            if unlucky := await _explain_unlucky(stage, story, people):
                print_explanation(console, unlucky)
            print_result(console, result)
            done(result)
            if keep:
                email = ASSOCIATIONS[0].user_email
                console.print(
                    f"\nThe pages are at {stage.base_url} (log in as {email}, password {story.password}); Ctrl-C ends."
                )
                await driver.keep_pace()


@dataclass(slots=True)
class _Watch:
    """Keeps the board up to date, a few times a second and no oftener."""

    stage: Stage
    board: Board
    looked: float = field(default=0.0)

    async def look(self) -> None:
        if time.monotonic() - self.looked >= _LOOK_SECONDS:
            async with self.stage.database.read() as connection:
                counts = await history.count_messages(connection)
            self.board.show(self.stage.clock.now(), counts)
            self.looked = time.monotonic()


async def _conclude(stage: Stage, story: Story, people: People, wall_seconds: float) -> Result:
    async with stage.database.read() as connection:
        books = await read_books(connection, people, [secretary.association_id for secretary in story.secretaries])
    judgement = judge(books.members, read_receipts(stage.receipts), stage.keys.ring)
    trouble = [Mismatch("the world", "deed", "done", words) for words in stage.world.trouble]
    more = (*story.mismatches, *trouble, *_judge_table(books, people))
    return Result(
        members=len(people.members),
        messages=books.messages,
        ever=books.ever,
        examples=books.examples,
        cards=books.cards,
        judgement=replace(judgement, mismatches=(*judgement.mismatches, *more)),
        sandbox_days=(stage.clock.now() - START).total_seconds() / 86_400,
        wall_seconds=wall_seconds,
    )


def _judge_table(books: Books, people: People) -> list[Mismatch]:
    """Where every character plays, every status is seen at some time, and every final one at the end."""
    if len({member.character.name for member in people.members}) < len(CHARACTERS):
        return []
    missing = [
        *(("ever", status) for status in set(MessageStatus) - _UNTRACKED - books.ever.keys()),
        *(("now", status) for status in FINAL - _UNTRACKED - books.messages.keys()),
        *(("card", status) for status in set(AddressStatus) - books.cards.keys()),
    ]
    return [Mismatch("the table", where, status, "nowhere") for where, status in missing]


async def _explain_unlucky(stage: Stage, story: Story, people: People) -> Explanation | None:
    """The whole story of one member of the first association who waited five days in vain."""
    secretary = story.secretaries[0]
    unlucky = next((member for member in people.of(0) if member.character.name == _UNLUCKY), None)
    if unlucky is None:
        return None
    async with stage.database.read() as connection:
        register = await cards.every(connection, secretary.association_id)
        [card] = [card for card in register if card.email == unlucky.email]
        return await explain(connection, secretary.association_id, secretary.mailing_id, card.id)
