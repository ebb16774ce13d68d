"""Transactions on an open connection, pipelined where the receiver offers it (RFC 2920).

With PIPELINING, MAIL, RCPT and DATA leave in one write, and those of the next mail in the same write as the final dot
of this one, so that a mail costs one round trip. Without it, each command waits for its answer. The machine runs in the
callbacks of the transport; `run` sleeps until the mails are used up or the conversation breaks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from config.settings import Timeouts
from config.vocabulary import EnhancedStatus, Reply, Stage
from engine.deliver.attempt import Attempt, Envelope
from engine.deliver.blame import find_blame
from engine.deliver.commands import Commands, Offer, write_commands
from engine.deliver.replies import Answer, AnswerReader, NotSmtp, read_answer

FAREWELL_SECONDS = 5.0
GONE_AFTER_SECONDS = 1.0
_CONTENT_END = b".\r\n"
_CONNECTION_BROKE = EnhancedStatus(4, 4, 2)
_GOOD_CLASS = {Stage.MAIL: 2, Stage.RCPT: 2, Stage.DATA: 3, Stage.DOT: 2}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: the mail that was cut short, not yet reported, and those taken but untouched."""

    cut: Attempt | None = None
    untouched: tuple[Envelope, ...] = ()


class _Turn:
    """One transaction under way."""

    __slots__ = ("commands", "envelope", "is_open", "is_sent", "refusal")

    def __init__(self, envelope: Envelope, commands: Commands) -> None:
        self.envelope = envelope
        self.commands = commands
        self.refusal: tuple[Stage, Answer] | None = None
        self.is_open = False
        self.is_sent = False


class Conversation(asyncio.Protocol):
    """An open connection, past its greeting; takes envelopes one after the other and reports what came of each.

    `answered` counts the mails the receiver has decided on. `on_lost` is called once the connection is gone.
    """

    def __init__(
        self, transport: asyncio.Transport, offer: Offer, timeouts: Timeouts, *, host: str = "", tls: str = ""
    ) -> None:
        self.offer, self.host, self.tls = offer, host, tls
        self.answered = 0
        self.on_lost: Callable[[], None] | None = None
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._reader = AnswerReader()
        self._seconds = _seconds_of(timeouts)
        self._block_seconds = timeouts.data_block
        self._turns: deque[_Turn] = deque()
        self._awaited: deque[tuple[_Turn | None, Stage]] = deque()
        self._needs_reset = False
        self._is_over = transport.is_closing()
        self._unsent_octets: int | None = None
        self._deadline = self._alarm_at = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._done: asyncio.Future[Ending] | None = None
        self._hearers = {
            Stage.MAIL: self._hear_mail,
            Stage.RCPT: self._hear_rcpt,
            Stage.DATA: self._hear_data,
            Stage.DOT: self._hear_dot,
        }

    @property
    def is_open(self) -> bool:
        """Whether another transaction may be begun."""
        return not self._is_over

    async def run(
        self,
        take: Callable[[], Envelope | None],
        report: Callable[[Attempt], None],
        halted: Callable[[], bool] = lambda: False,
    ) -> Ending:
        """Deliver what `take` gives until it gives None; each mail that was decided on is reported as it is.

        Once `halted` is true, no further content is sent. An exception of `report` ends the conversation and is raised.
        """
        if self._is_over:
            return Ending()
        self._take, self._report, self._halted = take, report, halted
        done: asyncio.Future[Ending] = self._loop.create_future()
        self._done = done
        try:
            self._begin_next()
            self._set_alarm()
            return await done
        finally:
            self._done = None
            if self._turns:
                self._hang_up()

    def leave(self) -> None:
        """Say QUIT and close once it is answered, or after 5 seconds."""
        if self._is_over:
            return
        self._is_over = True
        self._stop_alarm()
        self._transport.write(b"QUIT\r\n")
        self._alarm = self._loop.call_later(FAREWELL_SECONDS, self._hang_up)

    # What the transport calls.

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            self._transport.close()
            return
        try:
            self._hear_all(data)
        except NotSmtp as error:
            self._break(Reply(0, _CONNECTION_BROKE, f"Not an SMTP answer: {error}"))
        except Exception as error:
            self._fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._is_over:
            self._break(Reply(0, _CONNECTION_BROKE, f"Connection lost{f': {exc}' if exc else ''}"))
        self._let_go()

    def pause_writing(self) -> None:
        """The receiver is slow to read: each block gets a time of its own (RFC 5321 4.5.3.2.5)."""
        self._unsent_octets = self._transport.get_write_buffer_size()
        self._set_deadline(self._block_seconds)

    def resume_writing(self) -> None:
        self._unsent_octets = None
        self._set_alarm()

    # Beginning a transaction.

    def _begin_next(self) -> None:
        """Start on the next mail, or end the run where there is none."""
        turn = self._take_turn()
        if turn is None:
            self._end(Ending())
            return
        self._turns.append(turn)
        if self._needs_reset:
            self._needs_reset = False
            self._awaited.append((None, Stage.MAIL))
            self._transport.write(b"RSET\r\n" + self._open(turn) if self.offer.pipelining else b"RSET\r\n")
        else:
            self._transport.write(self._open(turn))

    def _take_turn(self) -> _Turn | None:
        """The next mail whose commands can be written; those that cannot are refused on the spot."""
        while not self._is_over and (envelope := self._take()) is not None:
            commands = write_commands(envelope, self.offer)
            if isinstance(commands, Commands):
                return _Turn(envelope, commands)
            self._settle(envelope, commands, Stage.RCPT if commands.code == 553 else Stage.MAIL)
        return None

    def _open(self, turn: _Turn) -> bytes:
        """The bytes that open a transaction, their answers awaited: all commands at once, or MAIL alone."""
        self._awaited.append((turn, Stage.MAIL))
        if not self.offer.pipelining:
            return turn.commands.mail
        self._awaited.append((turn, Stage.RCPT))
        self._awaited.append((turn, Stage.DATA))
        return turn.commands.mail + turn.commands.rcpt + b"DATA\r\n"

    def _say_next(self, turn: _Turn, stage: Stage, command: bytes) -> None:
        """In lockstep, one command; pipelined it has been said already."""
        if not self.offer.pipelining:
            self._awaited.append((turn, stage))
            self._transport.write(command)

    # Hearing answers.

    def _hear_all(self, data: bytes) -> None:
        for answer in self._reader.feed(data):
            self._hear(answer)
            if self._is_over:
                return
        self._set_alarm()

    def _hear(self, answer: Answer) -> None:
        if not self._awaited:
            self._break(read_answer(answer))
            return
        turn, stage = self._awaited[0]
        if answer.code == 421:
            self._hear_closing(turn, stage, answer)
        elif turn is None:
            self._awaited.popleft()
            self._hear_reset()
        elif answer.code // 100 not in (_GOOD_CLASS[stage], 4, 5):
            self._break(Reply(0, _CONNECTION_BROKE, f"Answered {stage.upper()} with {read_answer(answer)}"))
        else:
            self._awaited.popleft()
            self._hearers[stage](turn, answer)

    def _hear_reset(self) -> None:
        if not self.offer.pipelining:
            self._transport.write(self._open(self._turns[0]))

    def _hear_mail(self, turn: _Turn, answer: Answer) -> None:
        if answer.code >= 400:
            self._refuse(turn, Stage.MAIL, answer)
            return
        turn.is_open = True
        self._say_next(turn, Stage.RCPT, turn.commands.rcpt)

    def _hear_rcpt(self, turn: _Turn, answer: Answer) -> None:
        if answer.code >= 400:
            self._refuse(turn, Stage.RCPT, answer)
            return
        self._say_next(turn, Stage.DATA, b"DATA\r\n")

    def _refuse(self, turn: _Turn, stage: Stage, answer: Answer) -> None:
        """Keep the first refusal; pipelined, the answers still on their way are heard out before the turn ends."""
        turn.refusal = turn.refusal or (stage, answer)
        if not self.offer.pipelining or stage is Stage.DATA:
            self._finish(turn, *turn.refusal)

    def _hear_data(self, turn: _Turn, answer: Answer) -> None:
        if answer.code >= 400:
            self._refuse(turn, Stage.DATA, answer)
        elif self._halted() and not turn.refusal:
            self._end_broken(Ending(untouched=self._envelopes()))
        else:
            self._send_content(turn)

    def _send_content(self, turn: _Turn) -> None:
        """The content, or nothing where the mail was refused already; the final dot; the next mail's commands."""
        content = b"" if turn.refusal else turn.envelope.wire
        turn.is_sent = not turn.refusal
        turn.is_open = False
        self._awaited.append((turn, Stage.DOT))
        ahead = self._take_turn() if self.offer.pipelining else None
        if ahead:
            self._turns.append(ahead)
        self._transport.write(b"".join((content, _CONTENT_END, self._open(ahead) if ahead else b"")))

    def _hear_dot(self, turn: _Turn, answer: Answer) -> None:
        self._finish(turn, *(turn.refusal or (Stage.DOT, answer)))

    def _finish(self, turn: _Turn, stage: Stage, answer: Answer) -> None:
        """Report a mail that was decided on and go on with the next."""
        self._turns.popleft()
        self._needs_reset = turn.is_open
        self.answered += 1
        self._settle(turn.envelope, read_answer(answer), stage)
        if not self._turns and not self._is_over:
            self._begin_next()

    # Ends.

    def _hear_closing(self, turn: _Turn | None, stage: Stage, answer: Answer) -> None:
        """421: the receiver is closing (RFC 5321 3.8). Said to the final dot it is the answer to that mail."""
        if turn is not None and stage is Stage.DOT and turn.is_sent:
            self._turns.popleft()
            self._settle(turn.envelope, read_answer(answer), Stage.DOT)
            self._end_broken(Ending(untouched=self._envelopes()))
        else:
            self._break(read_answer(answer))

    def _break(self, reply: Reply) -> None:
        """The conversation cannot go on: settle or hand back the mails under way."""
        if not self._turns:
            self._end_broken(Ending())
            return
        turn, stage = self._turns.popleft(), self._awaited[0][1] if self._awaited else Stage.MAIL
        if turn.refusal:
            self._settle(turn.envelope, read_answer(turn.refusal[1]), turn.refusal[0])
            self._end_broken(Ending(untouched=self._envelopes()))
        elif turn.is_sent and not self._is_dot_unsent:
            self._settle(turn.envelope, _name_stage(reply, stage), stage, uncertain=True)
            self._end_broken(Ending(untouched=self._envelopes()))
        else:
            cut = self._attempt(turn.envelope, _name_stage(reply, stage), stage)
            self._end_broken(Ending(cut, self._envelopes()))

    @property
    def _is_dot_unsent(self) -> bool:
        """Whether writing is paused: far more than the commands behind it waits with the dot on our side."""
        return self._unsent_octets is not None

    def _envelopes(self) -> tuple[Envelope, ...]:
        return tuple(turn.envelope for turn in self._turns)

    def _end_broken(self, ending: Ending) -> None:
        self._hang_up()
        self._end(ending)

    def _end(self, ending: Ending) -> None:
        self._awaited.clear()
        if self._done and not self._done.done():
            self._done.set_result(ending)

    def _fail(self, error: Exception) -> None:
        """An accident of ours is raised in `run`, wherever the transport was when it called."""
        self._hang_up()
        if self._done and not self._done.done():
            self._done.set_exception(error)

    def _hang_up(self) -> None:
        """Cut the connection; should the loop never tell that it is gone, it is taken as gone a second later."""
        self._is_over = True
        self._turns.clear()
        self._transport.abort()
        self._stop_alarm()
        self._alarm = self._loop.call_later(GONE_AFTER_SECONDS, self._let_go)

    def _let_go(self) -> None:
        self._stop_alarm()
        on_lost, self.on_lost = self.on_lost, None
        if on_lost:
            on_lost()

    def _settle(self, envelope: Envelope, reply: Reply, stage: Stage, *, uncertain: bool = False) -> None:
        try:
            self._report(self._attempt(envelope, reply, stage, uncertain=uncertain))
        except Exception as error:
            self._fail(error)

    def _attempt(self, envelope: Envelope, reply: Reply, stage: Stage, *, uncertain: bool = False) -> Attempt:
        return Attempt(envelope, reply, stage, self.host, self.tls, uncertain, find_blame(stage, reply))

    # Time.

    def _set_alarm(self) -> None:
        """Give the answer now awaited its time; nothing is timed while nothing is awaited."""
        if self._awaited and self._unsent_octets is None:
            self._set_deadline(self._seconds[self._awaited[0][1]])

    def _set_deadline(self, seconds: float) -> None:
        """Move the deadline; the alarm is only set anew where it would ring too late."""
        self._deadline = self._loop.time() + seconds
        if self._alarm is None or self._deadline < self._alarm_at:
            self._stop_alarm()
            self._alarm_at = self._deadline
            self._alarm = self._loop.call_at(self._deadline, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        if self._is_over or not self._awaited:
            return
        if self._loop.time() < self._deadline:
            self._alarm_at = self._deadline
            self._alarm = self._loop.call_at(self._deadline, self._ring)
        elif self._is_draining():
            self.pause_writing()
        else:
            self._break(Reply(0, _CONNECTION_BROKE, "No answer in time"))

    def _is_draining(self) -> bool:
        """Whether the receiver has read at least some of the content since the last look."""
        return self._unsent_octets is not None and self._transport.get_write_buffer_size() < self._unsent_octets

    def _stop_alarm(self) -> None:
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None


def _seconds_of(timeouts: Timeouts) -> dict[Stage, float]:
    return {
        Stage.MAIL: timeouts.command,
        Stage.RCPT: timeouts.command,
        Stage.DATA: timeouts.data,
        Stage.DOT: timeouts.final_dot,
    }


def _name_stage(reply: Reply, stage: Stage) -> Reply:
    """Our own finding with the stage it fell in; the receiver's words stay as they are."""
    return reply if reply.code else Reply(0, reply.enhanced, f"{reply.text} (at {stage})")
