"""What a mail exchanger answers, line for line: a strict reading of RFC 5321 that owes nothing to the sender's code."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

SIZE_LIMIT_BYTES = 10 * 1024 * 1024
EXTENSIONS = ("PIPELINING", f"SIZE {SIZE_LIMIT_BYTES}", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN", "SMTPUTF8")

_PATH = re.compile(r"(?i)(FROM|TO):<([^<>\s]*)>((?: [!-~\x80-\U0010ffff]+)*)$")
_OFFERED_BY = {
    "SIZE": "SIZE", "BODY": "8BITMIME", "SMTPUTF8": "SMTPUTF8",
    "RET": "DSN", "ENVID": "DSN", "NOTIFY": "DSN", "ORCPT": "DSN",
}  # fmt: skip


class Then(Enum):
    """What the exchanger does once it has spoken."""

    GO_ON = "listens for the next command"
    READ_MAIL = "reads mail up to the final dot"
    START_TLS = "shakes hands for TLS"
    HANG_UP = "closes the connection"
    IGNORE = "never answers again"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an exchanger does when it is its turn: says a line (empty: nothing), then something more."""

    line: str = ""
    then: Then = Then.GO_ON

    @property
    def is_positive(self) -> bool:
        return self.line[:1] in ("2", "3")


@dataclass(frozen=True, slots=True)
class Exchanger:
    """One mail exchanger: its name, its loopback address, and what it offers in EHLO."""

    name: str
    address: str
    extensions: tuple[str, ...] = EXTENSIONS
    offers_tls: bool = False
    is_up: bool = True

    def offers(self, extension: str) -> bool:
        return any(line.split()[0] == extension for line in self.extensions)


@dataclass(frozen=True, slots=True)
class IncomingMail:
    """One mail as it came over the wire, undone of its dot-stuffing."""

    host: str
    mail_from: str
    recipient: str
    envelope_id: str
    wire: bytes
    is_tls: bool


class Keeper(Protocol):
    """Who stands behind the exchangers and decides what each of them answers."""

    def greet(self, host: Exchanger) -> Answer:
        """Answer a new connection."""

    def hear(self, host: Exchanger, mail_from: str, recipient: str) -> Answer:
        """Answer a recipient."""

    def take(self, mail: IncomingMail) -> Answer:
        """Answer a whole mail; whatever must outlive a crash is on the disk before this returns."""


@dataclass(slots=True)
class _Envelope:
    mail_from: str
    parameters: dict[str, str]
    recipient: str = ""


class Dialogue:
    """One conversation: which commands may come now, and what each is answered. One recipient a mail."""

    def __init__(self, host: Exchanger, keeper: Keeper, *, has_tls: bool = False) -> None:
        self.host, self._keeper, self._has_tls = host, keeper, has_tls
        self._is_tls = self._is_greeted = False
        self._envelope: _Envelope | None = None
        self._verbs: dict[str, Callable[[str], Answer]] = {
            "EHLO": self._ehlo, "HELO": self._helo, "MAIL": self._mail, "RCPT": self._rcpt, "DATA": self._data,
            "RSET": self._rset, "NOOP": self._noop, "QUIT": self._quit, "STARTTLS": self._starttls,
        }  # fmt: skip

    def greet(self) -> Answer:
        return self._keeper.greet(self.host)

    def hear(self, command: str) -> Answer:
        """Answer one command line, given without its line end."""
        verb, _, rest = command.partition(" ")
        act = self._verbs.get(verb.upper())
        return act(rest) if act else Answer("500 5.5.1 No such command")

    def may_be_followed(self, command: str) -> bool:
        """Whether others may stand behind the command in one write (RFC 2920 3.1)."""
        return self.host.offers("PIPELINING") and command[:4].upper() in ("RSET", "MAIL", "RCPT")

    def take(self, wire: bytes) -> Answer:
        """Answer a mail, given without its final dot and undone of its dot-stuffing."""
        assert self._envelope is not None
        envelope, self._envelope = self._envelope, None
        if len(wire) > SIZE_LIMIT_BYTES:
            return Answer("552 5.3.4 Message too big")
        envelope_id = envelope.parameters.get("ENVID", "")
        mail = IncomingMail(self.host.name, envelope.mail_from, envelope.recipient, envelope_id, wire, self._is_tls)
        return self._keeper.take(mail)

    def begin_tls(self) -> None:
        """Everything said in the clear is forgotten (RFC 3207 4.2)."""
        self._is_tls, self._is_greeted, self._envelope = True, False, None

    @property
    def _offers_tls(self) -> bool:
        return self.host.offers_tls and self._has_tls and not self._is_tls

    def _ehlo(self, rest: str) -> Answer:
        self._envelope, self._is_greeted = None, True
        offers = [*self.host.extensions, *(["STARTTLS"] if self._offers_tls else [])]
        lines = [f"{self.host.name} greets {rest}", *offers]
        return Answer("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    def _helo(self, rest: str) -> Answer:
        self._envelope, self._is_greeted = None, True
        return Answer(f"250 {self.host.name} greets {rest}")

    def _mail(self, rest: str) -> Answer:
        path = _read_path("FROM", rest)
        if not self._is_greeted or self._envelope:
            return Answer("503 5.5.1 Out of turn")
        if path is None:
            return Answer("501 5.5.4 Say MAIL FROM:<address>")
        address, parameters = path
        refusal = self._refuse(parameters)
        if refusal is None:
            self._envelope = _Envelope(address, parameters)
        return refusal or Answer("250 2.1.0 Sender ok")

    def _rcpt(self, rest: str) -> Answer:
        path = _read_path("TO", rest)
        if self._envelope is None:
            return Answer("503 5.5.1 Say MAIL first")
        if path is None or not path[0]:
            return Answer("501 5.5.4 Say RCPT TO:<address>")
        if self._envelope.recipient:
            return Answer("452 4.5.3 One recipient at a time")
        return self._hear_recipient(self._envelope, *path)

    def _hear_recipient(self, envelope: _Envelope, address: str, parameters: dict[str, str]) -> Answer:
        if not address.isascii() and "SMTPUTF8" not in envelope.parameters:
            return Answer("553 5.6.7 Say SMTPUTF8 first")
        answer = self._refuse(parameters) or self._keeper.hear(self.host, envelope.mail_from, address)
        envelope.recipient = address if answer.is_positive else ""
        return answer

    def _refuse(self, parameters: dict[str, str]) -> Answer | None:
        """Why the parameters will not do; None where they will (RFC 5321 4.1.1.11)."""
        for name, value in parameters.items():
            if not self.host.offers(_OFFERED_BY.get(name, name)) or name not in _OFFERED_BY:
                return Answer(f"555 5.5.4 {name} is not known here")
            if name == "SIZE" and not (value.isdigit() and int(value) <= SIZE_LIMIT_BYTES):
                return Answer("552 5.3.4 Message too big")
        return None

    def _data(self, _rest: str) -> Answer:
        if self._envelope is None or not self._envelope.recipient:
            return Answer("503 5.5.1 No valid recipient")
        return Answer("354 End with a dot on a line of its own", Then.READ_MAIL)

    def _rset(self, _rest: str) -> Answer:
        self._envelope = None
        return Answer("250 2.0.0 Forgotten")

    def _noop(self, _rest: str) -> Answer:
        return Answer("250 2.0.0 Yes")

    def _quit(self, _rest: str) -> Answer:
        return Answer("221 2.0.0 Goodbye", Then.HANG_UP)

    def _starttls(self, _rest: str) -> Answer:
        if not self._offers_tls:
            return Answer("502 5.5.1 No TLS here")
        return Answer("220 2.0.0 Go ahead", Then.START_TLS)


def _read_path(keyword: str, text: str) -> tuple[str, dict[str, str]] | None:
    """Address and parameters of `FROM:<address> NAME=value …`, or None where it is not well formed."""
    found = _PATH.match(text)
    if not found or found[1].upper() != keyword:
        return None
    pairs = (word.partition("=") for word in found[3].split())
    return found[2], {name.upper(): value for name, _, value in pairs}
