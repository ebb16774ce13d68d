"""Conversations kept per site: as many as its limits allow, used again, and one probe where nobody answers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from config.vocabulary import EnhancedStatus, Host, Limits, Reply, Route, Stage
from engine.clock import Clock
from engine.deliver.attempt import Attempt, Blame, Envelope
from engine.deliver.conversation import Conversation, Ending
from engine.deliver.memory import Memory, WayIn
from engine.deliver.session import Dialler, Unreachable

IDLE_SECONDS = 8.0
"""How long a conversation without work is kept; servers give an idle client 5 minutes but dislike it sooner."""
PATIENCE_SECONDS = 30.0
"""How long mails wait for a connection that the site's limits leave free."""
MAILS_WORTH_A_CONNECTION = 8
"""With fewer waiting for each, another connection costs more round trips than it saves."""


def _never() -> bool:
    return False


def _ignore(route: Route, reply: Reply) -> None:
    del route, reply


@dataclass(slots=True, eq=False)
class _Line:
    """One conversation of ours with its address and how much it has carried."""

    way: WayIn
    conversation: Conversation
    carried: int = 0
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True, eq=False)
class _Site:
    """The conversations with one site; `trust` is how many mails in a row it has taken."""

    taken: int = 0
    trust: int = 0
    idle: list[_Line] = field(default_factory=list)
    freed: asyncio.Event = field(default_factory=asyncio.Event)

    def has_room(self, limits: Limits) -> bool:
        """A site starts with one connection and gets one more for each mail it takes."""
        return self.taken < min(limits.connections, 1 + self.trust)

    def release(self) -> None:
        self.taken -= 1
        self.freed.set()


@dataclass(slots=True, eq=False)
class _Delivery:
    """One call of `deliver`."""

    route: Route
    limits: Limits
    waiting: deque[Envelope]
    report: Callable[[Attempt], None]
    halted: Callable[[], bool]
    site: _Site
    group: asyncio.TaskGroup
    workers: int = 0

    @property
    def has_work(self) -> bool:
        return bool(self.waiting) and not self.halted()

    @property
    def could_use_another(self) -> bool:
        return len(self.waiting) > self.workers * MAILS_WORTH_A_CONNECTION and not self.halted()


class Pool:
    """Every conversation of this process; one event loop's own.

    `hear` is told of refusals that no mail was spent on (421 to a further connection, or after some mails), for they
    too are words about our pace.
    """

    def __init__(
        self,
        dialler: Dialler,
        clock: Clock,
        *,
        hear: Callable[[Route, Reply], None] = _ignore,
        idle_seconds: float = IDLE_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._dialler = dialler
        self._clock = clock
        self._hear = hear
        self._idle_seconds = idle_seconds
        self._patience_seconds = patience_seconds
        self._memory = Memory()
        self._sites: dict[str, _Site] = {}

    async def deliver(
        self,
        route: Route,
        envelopes: Sequence[Envelope],
        limits: Limits,
        report: Callable[[Attempt], None],
        halted: Callable[[], bool] = _never,
    ) -> list[Envelope]:
        """Hand envelopes over to the hosts of a route; returns those that were never tried.

        Each attempt is reported as its answer comes. Where no host answers, one envelope is spent as the probe. Once
        `halted` is true nothing new is begun. An exception of `report` is raised (in an exception group).
        """
        site = self._sites.setdefault(route.site, _Site())
        async with asyncio.TaskGroup() as group:
            delivery = _Delivery(route, limits, deque(envelopes), report, halted, site, group)
            self._start_worker(delivery)
        return list(delivery.waiting)

    def connections(self, site: str) -> int:
        """How many connections to a site are open or being opened."""
        return self._sites[site].taken if site in self._sites else 0

    async def close(self) -> None:
        """Say QUIT on every idle conversation and wait until they are gone; for the end of the process."""
        for site in self._sites.values():
            for line in list(site.idle):
                self._dismiss(site, line)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience_seconds):
                for site in self._sites.values():
                    await self._wait_empty(site)

    # Room.

    async def _get_room(self, delivery: _Delivery) -> bool:
        """Wait a while for the right to one conversation; False where none came free or no work is left for it."""
        site = delivery.site
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience_seconds):
                while delivery.has_work:
                    if site.has_room(delivery.limits) or self._find_idle(delivery):
                        return True
                    if site.idle:
                        self._dismiss(site, site.idle[0])
                    site.freed.clear()
                    await site.freed.wait()
        return False

    async def _wait_empty(self, site: _Site) -> None:
        while site.taken:
            site.freed.clear()
            await site.freed.wait()

    # Workers.

    def _start_worker(self, delivery: _Delivery) -> None:
        delivery.workers += 1
        delivery.group.create_task(self._work(delivery))

    def _grow(self, delivery: _Delivery) -> None:
        """Another worker where there is work for it and the site has room."""
        if delivery.could_use_another and (delivery.site.has_room(delivery.limits) or self._find_idle(delivery)):
            self._start_worker(delivery)

    async def _work(self, delivery: _Delivery) -> None:
        """Carry mails, on one conversation after the other, as long as each of them gets somewhere."""
        try:
            while delivery.has_work:
                if not await self._carry(delivery):
                    return
        finally:
            delivery.workers -= 1

    async def _carry(self, delivery: _Delivery) -> bool:
        """One conversation's share of the work; returns whether to go on with another."""
        if not await self._get_room(delivery):
            return False
        used = self._take_idle(delivery)
        line = used or await self._dial(delivery)
        if line is None:
            return False
        before = line.conversation.answered
        ending = await self._converse(delivery, line)
        got_somewhere = line.conversation.answered > before
        may_repeat = got_somewhere or used is not None
        self._put_back(delivery, line, ending, may_repeat=may_repeat)
        return may_repeat

    async def _converse(self, delivery: _Delivery, line: _Line) -> Ending:
        """Let one conversation take mails until there are none, or it has carried its number."""

        def take() -> Envelope | None:
            if line.carried >= delivery.limits.messages_per_connection or not delivery.has_work:
                return None
            line.carried += 1
            return delivery.waiting.popleft()

        def report(attempt: Attempt) -> None:
            self._learn(delivery.site, attempt)
            delivery.report(attempt)
            self._grow(delivery)

        return await line.conversation.run(take, report, delivery.halted)

    def _learn(self, site: _Site, attempt: Attempt) -> None:
        """Acceptance earns a site one more connection; a refusal beyond the recipient sends it back to the start."""
        if attempt.blame is None:
            site.trust += 1
        elif attempt.blame is not Blame.RECIPIENT:
            site.trust = 0

    def _put_back(self, delivery: _Delivery, line: _Line, ending: Ending, *, may_repeat: bool) -> None:
        """Take care of what a conversation left behind: untouched mails, the one cut short, and the line itself."""
        delivery.waiting.extendleft(reversed(ending.untouched))
        if ending.cut:
            self._put_back_cut(delivery, line, ending.cut, may_repeat=may_repeat)
        if not line.conversation.is_open:
            return
        if line.carried >= delivery.limits.messages_per_connection:
            line.conversation.leave()
        else:
            self._rest(delivery.site, line)

    def _put_back_cut(self, delivery: _Delivery, line: _Line, cut: Attempt, *, may_repeat: bool) -> None:
        """A mail cut short gets another connection where the old one had been good; else that was its attempt."""
        delivery.site.trust = 0
        if may_repeat:
            delivery.waiting.appendleft(cut.envelope)
            if cut.reply.code:
                self._hear(delivery.route, cut.reply)
        else:
            self._memory.note_trouble(line.way[1], self._clock.now())
            delivery.report(cut)

    # Lines.

    async def _dial(self, delivery: _Delivery) -> _Line | None:
        """A new conversation with the first host that answers; where none does, say so with one mail as the probe."""
        site = delivery.site
        site.taken += 1
        failure: Unreachable | None = None
        host = None
        for way in self._memory.order(delivery.route.hosts, self._clock.now()):
            try:
                return self._keep(site, way, await self._open(way))
            except Unreachable as unreachable:
                failure, host = _more_telling(failure, unreachable), way[0]
            except BaseException:
                site.release()
                raise
        site.release()
        self._report_failure(delivery, failure or _no_address(delivery.route, host))
        return None

    async def _open(self, way: WayIn) -> Conversation:
        """Dial; a host whose TLS is broken is dialled again without, unless its domain demands TLS."""
        host, address = way
        now = self._clock.now()
        with_tls = not self._memory.is_tls_broken(address, now)
        try:
            return await self._dialler.open(host, address, with_tls=with_tls)
        except Unreachable as unreachable:
            if unreachable.at is Stage.STARTTLS and not host.tls.policy and with_tls:
                self._memory.note_broken_tls(address, now)
                return await self._open(way)
            self._memory.note_trouble(address, now, whole_family=unreachable.is_no_way_out)
            raise

    def _keep(self, site: _Site, way: WayIn, conversation: Conversation) -> _Line:
        self._memory.note_well(way[1])
        line = _Line(way, conversation)

        def let_go() -> None:
            self._stop_rest(site, line)
            site.release()

        conversation.on_lost = let_go
        return line

    def _report_failure(self, delivery: _Delivery, failure: Unreachable) -> None:
        """Spend one mail on saying that nobody answers, unless others are just being carried."""
        delivery.site.trust = 0
        if delivery.workers > 1 or not delivery.waiting:
            self._hear(delivery.route, failure.reply)
            return
        probe = delivery.waiting.popleft()
        delivery.report(Attempt(probe, failure.reply, failure.at, failure.host, blame=Blame.HOST))

    # Rest.

    def _find_idle(self, delivery: _Delivery) -> _Line | None:
        """An idle conversation with a host of this route that fulfils what this domain demands."""
        return next((line for line in delivery.site.idle if _leads_to(line.way, delivery.route.hosts)), None)

    def _take_idle(self, delivery: _Delivery) -> _Line | None:
        line = self._find_idle(delivery)
        if line:
            self._stop_rest(delivery.site, line)
        return line

    def _rest(self, site: _Site, line: _Line) -> None:
        loop = asyncio.get_running_loop()
        line.timer = loop.call_later(self._idle_seconds, self._dismiss, site, line)
        site.idle.append(line)
        site.freed.set()

    def _stop_rest(self, site: _Site, line: _Line) -> None:
        if line.timer:
            line.timer.cancel()
            line.timer = None
            site.idle.remove(line)

    def _dismiss(self, site: _Site, line: _Line) -> None:
        self._stop_rest(site, line)
        line.conversation.leave()


def _leads_to(way: WayIn, hosts: Sequence[Host]) -> bool:
    known, address = way
    return any(address in host.addresses and (host.port, host.tls) == (known.port, known.tls) for host in hosts)


def _more_telling(first: Unreachable | None, second: Unreachable) -> Unreachable:
    """A receiver's words tell more than silence, and the words of the best host more than the others'."""
    return first if first and (first.reply.code or not second.reply.code) else second


def _no_address(route: Route, host: Host | None) -> Unreachable:
    name = host.name if host else route.domain
    reply = Reply(0, EnhancedStatus(4, 4, 4), "No host of the domain has an address")
    return Unreachable(name, Stage.CONNECT, reply)
