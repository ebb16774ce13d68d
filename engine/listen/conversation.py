"""One SMTP conversation with a stranger: its life from greeting to end, and the table of commands."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import ClassVar, Protocol

import structlog

from config.vocabulary import Reply
from engine.clock import Clock
from engine.listen import replies
from engine.listen.door import Door
from engine.listen.grammar import Command, read_command
from engine.listen.intake import take_in
from engine.listen.limits import ListenerLimits
from engine.listen.policy import RecipientPolicy
from engine.listen.spool import Spool
from engine.listen.spooled import Envelope
from engine.listen.transaction import Transaction
from engine.listen.wire import HungUpError, LastWordsError, Wire

_NOT_OFFERED = frozenset({"AUTH", "HELP", "EXPN", "ETRN", "TURN", "ATRN", "BDAT", "XCLIENT", "XFORWARD"})
_NOT_SMTP = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
_LEAST_REFUSAL = 400
_LONGEST_LOGGED = 200

log = structlog.get_logger("listen")


class House(Protocol):
    """What a conversation needs of the listener that holds it."""

    hostname: str
    limits: ListenerLimits
    spool: Spool
    door: Door
    clock: Clock
    tls: ssl.SSLContext | None
    is_stopping: bool
    policy: RecipientPolicy
    on_spooled: Callable[[], None]


class Conversation(Wire):
    """One session from the greeting to the end; whatever the other side does, it keeps its caps and never raises."""

    def __init__(self, house: House) -> None:
        super().__init__(house.hostname, house.limits)
        self.is_busy = False
        """True while a body is read or kept."""
        self._house = house
        self._name = ""
        self._commands = 0
        self._errors = 0
        self._kept = 0
        self._forget_mail()

    def leave(self) -> None:
        super().leave()
        self._house.door.leave(self)

    def task(self) -> asyncio.Task[None]:
        """Return the task that holds the conversation; aiosmtpd would read a property before it is set."""
        assert self._handler_coroutine is not None
        return self._handler_coroutine

    async def _handle_client(self) -> None:
        try:
            await self._converse()
        except LastWordsError as words:
            self.ended_by = str(words.reply)
            with suppress(HungUpError):
                await self.say(words.reply)
        except HungUpError:
            pass
        finally:
            self.hang_up()
            self._tell()

    async def _converse(self) -> None:
        if refusal := self._house.door.enter(self):
            raise LastWordsError(refusal)
        await self.say(f"220 {self.hostname} {replies.GREETING_TEXT}")
        while not self._house.is_stopping:
            line = await self.next_line(self._limits.command_seconds if self._name else self._limits.handshake_seconds)
            await self._answer(line)
        raise LastWordsError(replies.SHUTTING_DOWN)

    async def _answer(self, line: bytes) -> None:
        """Obey one command; an accident inside is one fixed temporary reply, whatever it was."""
        self._commands += 1
        if self._commands > self._limits.commands:
            raise LastWordsError(replies.TOO_MANY_COMMANDS)
        try:
            await self._obey(read_command(line))
        except (LastWordsError, HungUpError):
            raise
        except Exception:
            log.exception("accident", peer=self.peer)
            if self.is_busy:  # the rest of the body must never be read as commands
                raise LastWordsError(replies.TROUBLE) from None
            self._forget_mail()
            await self.say(replies.TROUBLE)

    async def _obey(self, command: Command | None) -> None:
        if command is None:
            await self._reply(replies.BAD_LINE)
        elif command.verb in _NOT_SMTP:
            raise LastWordsError(replies.NOT_A_MAIL_CLIENT)
        elif obey := self._COMMANDS.get(command.verb):
            await obey(self, command.argument)
        else:
            await self._reply(replies.NOT_OFFERED if command.verb in _NOT_OFFERED else replies.UNKNOWN_COMMAND)

    async def _reply(self, reply: Reply) -> None:
        """Say yes or no; too many noes end the conversation."""
        if reply.code >= _LEAST_REFUSAL:
            self._errors += 1
            if self._errors >= self._limits.errors:
                raise LastWordsError(replies.TOO_MANY_ERRORS)
        await self.say(reply)

    def _forget_mail(self) -> None:
        self._mail_now = Transaction(self._house.policy, self._limits)

    def _tell(self) -> None:
        """One log line a session, whatever was said in it."""
        log.info(
            "session",
            peer=self.peer,
            helo=printable(self._name),
            tls=self.tls,
            kept=self._kept,
            errors=self._errors,
            ended_by=self.ended_by,
        )

    async def _ehlo(self, name: str) -> None:
        if not await self._is_introduced_as(name):
            return
        tls = ["STARTTLS"] if self._house.tls and not self.tls else []
        offers = [
            self.hostname,
            "PIPELINING",
            f"SIZE {self._limits.message_bytes}",
            *tls,
            "ENHANCEDSTATUSCODES",
            "8BITMIME",
        ]
        await self.say("".join(f"250-{offer}\r\n" for offer in offers) + "250 SMTPUTF8")

    async def _old_helo(self, name: str) -> None:
        if await self._is_introduced_as(name):
            await self.say(f"250 {self.hostname}")

    async def _is_introduced_as(self, name: str) -> bool:
        if not name:
            await self._reply(replies.BAD_ARGUMENT)
            return False
        self._forget_mail()
        self._name = name
        self._house.door.introduce(self)
        return True

    async def _mail(self, argument: str) -> None:
        await self._reply(self._mail_now.take_sender(argument) if self._name else replies.OUT_OF_ORDER)

    async def _rcpt(self, argument: str) -> None:
        await self._reply(self._mail_now.take_recipient(argument))

    async def _data(self, argument: str) -> None:
        if refusal := replies.BAD_ARGUMENT if argument else self._mail_now.refuse_body():
            await self._reply(refusal)
        elif self._house.spool.free_bytes() < self._limits.free_bytes:
            self._forget_mail()
            await self._reply(replies.NO_ROOM)
        else:
            await self._take_in()

    async def _rset(self, _: str) -> None:
        self._forget_mail()
        await self.say(replies.OK)

    async def _noop(self, _: str) -> None:
        await self.say(replies.OK)

    async def _vrfy(self, _: str) -> None:
        await self.say(replies.CANNOT_VERIFY)

    async def _quit(self, _: str) -> None:
        raise LastWordsError(replies.BYE)

    async def _starttls(self, argument: str) -> None:
        """Go over to TLS and begin anew (RFC 3207 4.2)."""
        if self._house.tls is None or self.tls:
            await self._reply(replies.NOT_OFFERED)
            return
        if argument or self.has_more_input():
            raise LastWordsError(replies.NOTHING_AFTER_STARTTLS)
        await self.say(replies.START_TLS)
        self._forget_mail()
        self._name = ""
        self._house.door.meet_stranger(self)
        await self.go_over_to_tls(self._house.tls)

    async def _take_in(self) -> None:
        """Receive one mail; `is_busy` stays true only where an accident leaves its body half read."""
        house, announced = self._house, self._mail_now
        envelope = Envelope(
            announced.sender or "", announced.recipients, self.peer, self._name, self.tls, house.clock.now()
        )
        self._forget_mail()
        await self.say(replies.START_DATA)
        self.is_busy = True
        reply = await take_in(house.spool.begin(envelope), self, house.spool, self._limits)
        self.is_busy = False
        if reply is replies.KEPT:
            self._kept += 1
            self._commands = 0
            house.on_spooled()
        await self._reply(reply)

    _COMMANDS: ClassVar[dict[str, Callable[[Conversation, str], Awaitable[None]]]] = {
        "EHLO": _ehlo,
        "HELO": _old_helo,
        "MAIL": _mail,
        "RCPT": _rcpt,
        "DATA": _data,
        "RSET": _rset,
        "NOOP": _noop,
        "VRFY": _vrfy,
        "QUIT": _quit,
        "STARTTLS": _starttls,
    }


def printable(text: str) -> str:
    """Return text from outside as it may stand in a log line: no control characters, not long."""
    return text[:_LONGEST_LOGGED].encode("unicode_escape").decode("ascii")
