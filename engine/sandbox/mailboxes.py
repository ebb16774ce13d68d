"""Stands behind every mail exchanger of the box: each recipient is answered as its character would."""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime

from engine.clock import Clock
from engine.sandbox.characters import Character
from engine.sandbox.habits import Drop, Habit
from engine.sandbox.letters import field_of
from engine.sandbox.receiver_log import Receipt, ReceiverLog
from engine.sandbox.sites import SITES, Site, site_of_domain
from engine.sandbox.smtp_dialogue import Answer, Exchanger, IncomingMail, Then

Directory = Callable[[str], Character | None]
"""Who lives at an address, given in lower case; None: nobody."""

Taken = Callable[[IncomingMail, Habit], None]
"""Told of every mail that was taken and answered."""

_NO_SUCH_USER = Answer("550 5.1.1 User unknown")
_NOT_OURS = Answer("554 5.7.1 Relay access denied")
_RATION_USED = Answer("421 4.7.0 Too many messages from your address for now, try again later", Then.HANG_UP)
_VANISH = Answer(then=Then.HANG_UP)


class Mailboxes:
    """The mailboxes at all sites; each follows its character's first habit until it turns to the next.

    Domains that no site has belong to `else_at`, or are refused.
    """

    def __init__(
        self, clock: Clock, directory: Directory, log: ReceiverLog, taken: Taken, *, else_at: Site | None = None
    ) -> None:
        self._clock, self._directory, self._log, self._taken = clock, directory, log, taken
        self._else_at = else_at
        self._sites = site_of_domain()
        self._site_of_host = {host.name: site for site in SITES for host in site.hosts}
        self._rations: defaultdict[str, deque[datetime]] = defaultdict(deque)
        self._first_tries: dict[str, datetime] = {}
        self._dropped: set[str] = set()
        self._turned: set[str] = set()
        self._all_turned = False

    def turn(self, recipient: str) -> None:
        """From now on one mailbox follows its second habit."""
        self._turned.add(recipient.lower())

    def turn_all(self) -> None:
        """From now on everyone does, and whole sites too."""
        self._all_turned = True

    def greet(self, host: Exchanger) -> Answer:
        if self._site_of_host[host.name].falls_silent and self._all_turned:
            return Answer(then=Then.IGNORE)
        return Answer(f"220 {host.name} ESMTP")

    def hear(self, host: Exchanger, mail_from: str, recipient: str) -> Answer:
        site = self._site_of(recipient)
        if site is None or host not in site.hosts:
            return _NOT_OURS
        if not self._has_ration(site):
            return _RATION_USED
        resident = self._directory(recipient.lower())
        return self._answer(self._habit(resident, recipient), mail_from, recipient) if resident else _NO_SUCH_USER

    def take(self, mail: IncomingMail) -> Answer:
        resident = self._directory(mail.recipient.lower())
        assert resident is not None
        habit = self._habit(resident, mail.recipient)
        if habit.drops and mail.mail_from not in self._dropped:
            self._dropped.add(mail.mail_from)
            self._write_down(mail, is_answered=False, is_kept=habit.drops is Drop.KEPT)
            return _VANISH
        self._use_ration(mail)
        self._write_down(mail, is_answered=True, is_kept=habit.keeps)
        self._taken(mail, habit)
        return Answer(f"250 2.0.0 Ok: queued at {mail.host}")

    def _site_of(self, recipient: str) -> Site | None:
        return self._sites.get(recipient.rpartition("@")[2].lower(), self._else_at)

    def _habit(self, resident: Character, recipient: str) -> Habit:
        has_turned = self._all_turned or recipient.lower() in self._turned
        return resident.then if has_turned else resident.first

    def _answer(self, habit: Habit, mail_from: str, recipient: str) -> Answer:
        first_try = self._first_tries.setdefault(mail_from, self._clock.now()) if habit.refusal else None
        is_over = first_try and habit.refuses_for and self._clock.now() - first_try >= habit.refuses_for
        if habit.refusal and not is_over:
            return Answer(habit.refusal.format(recipient=recipient))
        return Answer("250 2.1.5 Ok")

    def _has_ration(self, site: Site) -> bool:
        if site.ration is None:
            return True
        taken = self._rations[site.name]
        while taken and self._clock.now() - taken[0] >= site.ration.window:
            taken.popleft()
        return len(taken) < site.ration.mails

    def _use_ration(self, mail: IncomingMail) -> None:
        site = self._site_of_host[mail.host]
        if site.ration:
            self._rations[site.name].append(self._clock.now())

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
