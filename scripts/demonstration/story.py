"""The main job as a story of chapters, each on its day; between them time passes."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from engine.sandbox.people import ASSOCIATIONS, Member, People
from engine.sandbox.registers import DIALECTS, Register, write_register
from engine.sandbox.sites import MISTYPED_DOMAIN
from scripts.demonstration.driver import Driver
from scripts.demonstration.judge import Mismatch
from scripts.demonstration.secretary import Secretary
from scripts.demonstration.stage import START, Stage

_LATE = "joins_late"
_RIGHT_DOMAIN = "hotmail.com"

Say = Callable[[datetime, str], None]


class Story:
    """Three associations, from register to every member's answer.

    The first asks and mails before the others, so that what its mails find out holds for theirs.
    """

    def __init__(self, stage: Stage, people: People, driver: Driver, say: Say) -> None:
        self._stage, self._people, self._driver, self._say = stage, people, driver, say
        self.secretaries = [Secretary(stage.api, association) for association in ASSOCIATIONS]
        self.password = secrets.token_urlsafe(12)
        self.mismatches: list[Mismatch] = []

    async def tell(self) -> None:
        """Live through every chapter, and the five days and more after the last."""
        for day, chapter in self._chapters():
            await self._driver.pass_until(START + timedelta(days=day))
            await chapter()
        await self._driver.settle()

    def _chapters(self) -> tuple[tuple[int, Callable[[], Awaitable[None]]], ...]:
        first, *others = self.secretaries
        return (
            (0, self._found),
            (0, lambda: self._ask([first])),
            (1, lambda: self._ask(others)),
            (5, self._join_late),
            (7, self._turn),
            (7, lambda: self._mail([first])),
            (8, lambda: self._mail(others)),
            (15, self._correct),
        )

    async def _found(self) -> None:
        for secretary in self.secretaries:
            await secretary.found(self.password)
        self._tell(f"{len(self.secretaries)} associations are founded, with offices and users")
        await self._import(lambda member: member.character.name != _LATE)

    async def _join_late(self) -> None:
        await self._import(lambda member: member.character.name == _LATE)

    async def _import(self, chosen: Callable[[Member], bool]) -> None:
        for place, secretary in enumerate(self.secretaries):
            if members := [member for member in self._people.of(place) if chosen(member)]:
                await self._import_one(secretary, write_register(members, DIALECTS[place]))

    async def _import_one(self, secretary: Secretary, register: Register) -> None:
        counts = await secretary.import_register(register)
        told = ", ".join(f"{kind} {count}" for kind, count in counts.items())
        self._tell(f"{register.filename} is imported: {told}")
        if counts != register.expected:
            self.mismatches.append(Mismatch(register.filename, "import report", str(register.expected), str(counts)))

    async def _ask(self, secretaries: list[Secretary]) -> None:
        asked = [await secretary.ask() for secretary in secretaries]
        self._tell(f"{sum(asked)} members are asked to confirm their addresses")

    async def _turn(self) -> None:
        self._stage.internet.turn()
        self._tell("mailboxes fill up, accounts close, one site blocklists us and one falls silent")

    async def _mail(self, secretaries: list[Secretary]) -> None:
        mailed = [await secretary.mail() for secretary in secretaries]
        self._tell(f"a mailing goes to {sum(mailed)} members who have confirmed")

    async def _correct(self) -> None:
        corrected = [await secretary.correct(MISTYPED_DOMAIN, _RIGHT_DOMAIN) for secretary in self.secretaries]
        self._tell(f"{sum(corrected)} mistyped addresses are corrected, and have to be confirmed anew")

    def _tell(self, sentence: str) -> None:
        self._say(self._stage.clock.now(), sentence)
