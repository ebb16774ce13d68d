"""Stands behind every mail exchanger of the box: each recipient is answered as its character would."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime

from engine.clock import Clock
from engine.sandbox.characters import Character
from engine.sandbox.habits import Drop, Habit
from engine.sandbox.letters import field_of
from engine.sandbox.receiver_log import Receipt, ReceiverLog
from engine.sandbox.sites import Ration, Site, Temper, site_of_domain
from engine.sandbox.smtp_dialogue import Answer, Exchanger, IncomingMail, Then

Taken = Callable[[IncomingMail, Habit], None]

_NO_SUCH_USER = Answer("550 5.1.1 User unknown")
_NOT_OURS = Answer("554 5.7.1 Relay access denied")
_RATION_USED = Answer("421 4.7.0 Too many messages from your address for now, try again later", Then.HANG_UP)
_VANISH = Answer(then=Then.HANG_UP)


class Mailboxes:
    """The mailboxes at all sites. They turn to their second habit once `turn` is called."""

    def __init__(
        self,
        clock: Clock,
        residents: Mapping[str, Character],
        log: ReceiverLog,
        taken: Taken,
        ration: Ration | None = None,
    ) -> None:
        self._clock, self._residents, self._log, self._taken = clock, residents, log, taken
        self._ration = ration or Ration()
        self._sites = site_of_domain()
        self._rations: dict[str, deque[datetime]] = {}
        self._first_tries: dict[str, datetime] = {}
        self._dropped: set[str] = set()
        self._has_turned = False

    def turn(self) -> None:
        """From now on everyone follows the second habit."""
        self._has_turned = True

    def greet(self, host: Exchanger) -> Answer:
        site = next(site for site in self._sites.values() if host in site.hosts)
        if site.temper is Temper.SILENT and self._has_turned:
            return Answer(then=Then.IGNORE)
        return Answer(f"220 {host.name} ESMTP")

    def hear(self, host: Exchanger, mail_from: str, recipient: str) -> Answer:
        site = self._sites.get(recipient.rpartition("@")[2].lower())
        if site is None or host not in site.hosts:
            return _NOT_OURS
        if not self._has_ration(site):
            return _RATION_USED
        resident = self._residents.get(recipient.lower())
        return self._answer(self._habit(resident), mail_from, recipient) if resident else _NO_SUCH_USER

    def take(self, mail: IncomingMail) -> Answer:
        habit = self._habit(self._residents[mail.recipient.lower()])
        if habit.drops and mail.mail_from not in self._dropped:
            self._dropped.add(mail.mail_from)
            self._write_down(mail, is_answered=False, is_kept=habit.drops is Drop.KEPT)
            return _VANISH
        self._use_ration(mail)
        self._write_down(mail, is_answered=True, is_kept=habit.keeps)
        self._taken(mail, habit)
        return Answer(f"250 2.0.0 Ok: queued at {mail.host}")

    def _habit(self, resident: Character) -> Habit:
        return resident.then if self._has_turned else resident.first

    def _answer(self, habit: Habit, mail_from: str, recipient: str) -> Answer:
        first_try = self._first_tries.setdefault(mail_from, self._clock.now()) if habit.refusal else None
        is_over = first_try and habit.refuses_for and self._clock.now() - first_try >= habit.refuses_for
        if habit.refusal and not is_over:
            return Answer(habit.refusal.format(recipient=recipient))
        return Answer("250 2.1.5 Ok")

    def _has_ration(self, site: Site) -> bool:
        if site.temper is not Temper.RATIONING:
            return True
        taken = self._rations.setdefault(site.domains[0], deque())
        while taken and self._clock.now() - taken[0] >= self._ration.window:
            taken.popleft()
        return len(taken) < self._ration.mails

    def _use_ration(self, mail: IncomingMail) -> None:
        site = self._sites[mail.recipient.rpartition("@")[2].lower()]
        if site.temper is Temper.RATIONING:
            self._rations[site.domains[0]].append(self._clock.now())

    def _write_down(self, mail: IncomingMail, *, is_answered: bool, is_kept: bool) -> None:
        self._log.append(
            Receipt(
                at=self._clock.now(),
                host=mail.host,
                recipient=mail.recipient,
                message_id=field_of(mail.wire, "Message-ID"),
                token=field_of(mail.wire, "X-Brevduva-Token"),
                digest=hashlib.sha256(mail.wire).hexdigest(),
                size_bytes=len(mail.wire),
                is_tidy=_is_tidy(mail.wire),
                is_answered=is_answered,
                is_kept=is_kept,
            )
        )


def _is_tidy(wire: bytes) -> bool:
    """Every CR stands before an LF, every LF after a CR, and there is no NUL (RFC 5321 2.3.8)."""
    pairs = wire.count(b"\r\n")
    return wire.count(b"\r") == wire.count(b"\n") == pairs and b"\0" not in wire
