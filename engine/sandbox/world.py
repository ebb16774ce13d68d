"""What happens later: each mail that was taken sets off what the people and machines behind the mailbox will do."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.clock import Clock
from engine.sandbox import letters, reports
from engine.sandbox.browser import Browser, PageRefused
from engine.sandbox.habits import BY_PEOPLE, Deed, Habit
from engine.sandbox.postman import Letter, Postman, Refused
from engine.sandbox.reports import Occasion
from engine.sandbox.smtp_dialogue import IncomingMail

CONFIRM_PATH = "/c/"

_AT_ONCE = 16
_QUARTER = timedelta(minutes=15)
_LEISURE_QUARTERS = 48
_RETRY_AFTER = timedelta(minutes=15)
_RETRIES = 8


@dataclass(frozen=True, slots=True, order=True)
class Plan:
    """One deed that is due, for one mail."""

    at: datetime
    number: int
    deed: Deed = field(compare=False)
    mail: IncomingMail = field(compare=False)
    tries: int = field(compare=False, default=0)


class World:
    """A diary of deeds on the box's clock; at a pace of 0.1 all happens ten times sooner.

    `trouble` tells what could not be done, which never should be.
    """

    def __init__(self, clock: Clock, postman: Postman, browser: Browser, *, pace: float = 1.0) -> None:
        self._clock, self._postman, self._browser, self._pace = clock, postman, browser, pace
        self.confirmed: Callable[[str], None] = _nobody_cares
        self._diary: list[Plan] = []
        self._numbers = itertools.count()
        self.in_flight = 0
        self.done: dict[Deed, int] = dict.fromkeys(Deed, 0)
        self.trouble: list[str] = []

    def took(self, mail: IncomingMail, habit: Habit) -> None:
        """Plan what follows on a mail that was taken."""
        for deed, delay in habit.deeds:
            later = (delay + _leisure(deed, mail.recipient)) * self._pace
            self._plan(self._clock.now() + later, deed, mail)

    def next_due(self) -> datetime | None:
        """When something happens next; None where nothing will."""
        return self._diary[0].at if self._diary else None

    async def act_until(self, now: datetime) -> int:
        """Do everything that is due, several deeds at once; return how many."""
        due = []
        while self._diary and self._diary[0].at <= now:
            due.append(heapq.heappop(self._diary))
        turns = asyncio.Semaphore(_AT_ONCE)
        self.in_flight = len(due)
        await asyncio.gather(*(self._do(plan, turns) for plan in due))
        return len(due)

    async def live(self, grain_seconds: float = 1.0) -> None:
        """Do everything when its time comes, until cancelled: for a box that stays up on the machine's own clock."""
        while True:
            await self.act_until(self._clock.now())
            await self._clock.sleep(grain_seconds)

    def _plan(self, at: datetime, deed: Deed, mail: IncomingMail, tries: int = 0) -> None:
        heapq.heappush(self._diary, Plan(at, next(self._numbers), deed, mail, tries))

    async def _do(self, plan: Plan, turns: asyncio.Semaphore) -> None:
        async with turns:
            try:
                await _DEEDS[plan.deed](self, plan)
                self.done[plan.deed] += 1
            except Refused as refused:
                self._again(plan, refused)
            except PageRefused as refused:
                self._complain(plan, str(refused))
            finally:
                self.in_flight -= 1

    def _again(self, plan: Plan, refused: Refused) -> None:
        if refused.is_for_now and plan.tries < _RETRIES:
            self._plan(plan.at + _RETRY_AFTER, plan.deed, plan.mail, plan.tries + 1)
        else:
            self._complain(plan, refused.reply or "no connection")

    def _complain(self, plan: Plan, words: str) -> None:
        self.trouble.append(f"{plan.mail.recipient} {plan.deed.value}, but: {words}")

    async def _send(self, plan: Plan, write: Callable[[Occasion], bytes], *, to: str = "", sender: str = "") -> None:
        mail = plan.mail
        answer_to = to or mail.mail_from
        wire = write(Occasion(mail.wire, mail.recipient, mail.host, plan.at, answer_to))
        await self._postman.deliver(Letter(mail.host, sender, answer_to, wire))

    async def _confirm(self, plan: Plan) -> None:
        for link in letters.links_of(plan.mail.wire):
            if CONFIRM_PATH in link:
                await self._browser.press(link)
                return self.confirmed(plan.mail.recipient)
        raise PageRefused("there is no confirmation link in the mail")

    async def _scan(self, plan: Plan) -> None:
        for link in filter(self._browser.may_visit, letters.links_of(plan.mail.wire)):
            await self._browser.look(link)

    async def _unsubscribe(self, plan: Plan) -> None:
        await self._browser.unsubscribe(_target(plan.mail, "http"))

    async def _unsubscribe_by_mail(self, plan: Plan) -> None:
        address = _target(plan.mail, "mailto:").removeprefix("mailto:").partition("?")[0]
        await self._send(plan, reports.unsubscribe_mail, to=address, sender=plan.mail.recipient)

    async def _complain_of_spam(self, plan: Plan) -> None:
        sender = f"feedback@{plan.mail.host}"
        await self._send(plan, reports.feedback_report, to=letters.complaint_address(plan.mail.wire), sender=sender)

    async def _auto_reply(self, plan: Plan) -> None:
        await self._send(plan, reports.vacation_notice)

    async def _bounce_in_prose(self, plan: Plan) -> None:
        words = "Sorry, no mailbox here by that name. (#5.1.1)"
        await self._send(plan, lambda occasion: reports.prose_bounce(occasion, words))

    async def _report(self, plan: Plan) -> None:
        action, status, words = _NOTICES[plan.deed]
        diagnostic = words.format(recipient=plan.mail.recipient)
        await self._send(plan, lambda occasion: reports.delivery_report(occasion, action, status, diagnostic))


def _nobody_cares(_recipient: str) -> None:
    """What happens on a confirmation where nobody listens for it."""


def _leisure(deed: Deed, recipient: str) -> timedelta:
    """People act when it suits them: within half a day, each always alike. Machines act on the minute."""
    return _QUARTER * (zlib.crc32(recipient.encode()) % _LEISURE_QUARTERS) if deed in BY_PEOPLE else timedelta(0)


def _target(mail: IncomingMail, kind: str) -> str:
    """The first address of a kind in List-Unsubscribe; raises PageRefused."""
    for target in letters.unsubscribe_targets(mail.wire):
        if target.startswith(kind):
            return target
    raise PageRefused(f"there is no {kind} in List-Unsubscribe")


_NOTICES = {
    Deed.BOUNCE_UNKNOWN: ("failed", "5.1.1", "550 5.1.1 <{recipient}>: user unknown"),
    Deed.BOUNCE_DISABLED: ("failed", "5.2.1", "550 5.2.1 <{recipient}>: this account has been disabled"),
    Deed.BOUNCE_FULL: ("failed", "5.2.2", "552 5.2.2 <{recipient}>: mailbox full, user is over quota"),
    Deed.DELAY_NOTICE: ("delayed", "4.4.1", "connect to backend.relapost.example: Connection timed out"),
}

_DEEDS: Mapping[Deed, Callable[[World, Plan], Awaitable[None]]] = {
    Deed.CONFIRM: World._confirm,
    Deed.SCAN: World._scan,
    Deed.BOUNCE_UNKNOWN: World._report,
    Deed.BOUNCE_DISABLED: World._report,
    Deed.BOUNCE_FULL: World._report,
    Deed.BOUNCE_PROSE: World._bounce_in_prose,
    Deed.DELAY_NOTICE: World._report,
    Deed.COMPLAIN: World._complain_of_spam,
    Deed.UNSUBSCRIBE: World._unsubscribe,
    Deed.UNSUBSCRIBE_BY_MAIL: World._unsubscribe_by_mail,
    Deed.AUTO_REPLY: World._auto_reply,
}
