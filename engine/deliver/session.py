"""Opens one SMTP conversation: connect, greeting, EHLO, STARTTLS; the only file that speaks to aiosmtplib."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import cast

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPException, SMTPHeloError, SMTPResponseException

from config.settings import Timeouts
from config.vocabulary import EnhancedStatus, Host, Reply, Stage
from engine.deliver.commands import Offer, read_offer
from engine.deliver.conversation import Conversation
from engine.deliver.replies import make_reply
from engine.deliver.tls import DANE, MTA_STS, describe_tls, matches_tlsa, opportunistic_context, verifying_context
from engine.errors import DeliveryError

_NO_CONNECTION = EnhancedStatus(4, 4, 1)
_CONNECTION_BROKE = EnhancedStatus(4, 4, 2)
_NO_WAY = EnhancedStatus(4, 4, 4)
_NO_WAY_OUT = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class Unreachable(DeliveryError):
    """No conversation came about; `reply` is the receiver's refusal or, with code 0, what we found."""

    def __init__(self, host: str, stage: Stage, reply: Reply) -> None:
        super().__init__(host, stage, str(reply))
        self.reply = reply
        self.at: Stage = stage

    @property
    def is_no_way_out(self) -> bool:
        """Whether nothing of the address's family can be reached from here."""
        return isinstance(self.__cause__, OSError) and self.__cause__.errno in _NO_WAY_OUT


def may_dial_any(address: str) -> bool:
    return bool(address)


@dataclass(frozen=True, slots=True)
class Dialler:
    """How we introduce ourselves and what we wait for.

    `sources` are local addresses to speak from; where one is given, addresses of a family without one are not dialled.
    `may_dial` is asked about the very address that is then connected to.
    """

    hostname: str
    timeouts: Timeouts
    sources: tuple[str, ...] = ()
    may_dial: Callable[[str], bool] = may_dial_any
    verifying: Callable[[], ssl.SSLContext] = field(default=verifying_context)

    async def open(self, host: Host, address: str, *, with_tls: bool = True) -> Conversation:
        """Open a conversation with one address of a host; raises Unreachable.

        TLS is used where it is offered; where the host's domain demands it, there is no conversation without.
        """
        label = f"{host.name} [{address}]"
        smtp = SMTP(sock=await self._connect(host, address, label), local_hostname=self.hostname, start_tls=False)
        try:
            return await self._greet(smtp, host, label, with_tls=with_tls)
        except BaseException:
            smtp.close()
            raise

    async def _connect(self, host: Host, address: str, label: str) -> socket.socket:
        if not self.may_dial(address):
            raise Unreachable(label, Stage.CONNECT, Reply(0, _NO_WAY, "Not connected: no mail goes to such an address"))
        version = ip_address(address).version
        source = next((source for source in self.sources if ip_address(source).version == version), None)
        if self.sources and source is None:
            raise Unreachable(label, Stage.CONNECT, Reply(0, _NO_WAY, f"We have no IPv{version} address to send from"))
        connection = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
        try:
            with _stage(label, Stage.CONNECT):
                await self._reach(connection, source, (address, host.port))
        except BaseException:
            connection.close()
            raise
        return connection

    async def _reach(self, connection: socket.socket, source: str | None, target: tuple[str, int]) -> None:
        connection.setblocking(False)
        if source:
            connection.bind((source, 0))
        async with asyncio.timeout(self.timeouts.connect):
            await asyncio.get_running_loop().sock_connect(connection, target)

    async def _greet(self, smtp: SMTP, host: Host, label: str, *, with_tls: bool) -> Conversation:
        with _stage(label, Stage.BANNER):
            await smtp.connect(timeout=self.timeouts.banner)
        offer = await self._say_hello(smtp, label)
        tls = ""
        if host.tls.policy or (with_tls and offer.starttls):
            tls = await self._start_tls(smtp, host, label, offer)
        if tls:
            offer = await self._say_hello(smtp, label)
        return self._take_over(smtp, offer, label, tls)

    async def _say_hello(self, smtp: SMTP, label: str) -> Offer:
        """EHLO, and HELO where that is not understood (RFC 5321 3.2)."""
        with _stage(label, Stage.HELO):
            try:
                await smtp.ehlo(timeout=self.timeouts.command)
            except SMTPHeloError as refusal:
                if refusal.code < 500:
                    raise
                await smtp.helo(timeout=self.timeouts.command)
        return read_offer(smtp.esmtp_extensions)

    async def _start_tls(self, smtp: SMTP, host: Host, label: str, offer: Offer) -> str:
        """Encrypt; returns how, or "" where the receiver declines and its domain demands nothing (RFC 3207 4)."""
        demand = host.tls
        if not offer.starttls:
            raise Unreachable(label, Stage.STARTTLS, _untrusted(f"{demand.policy} wants TLS, the host offers none"))
        context = self.verifying() if demand.policy == MTA_STS else opportunistic_context()
        with _stage(label, Stage.STARTTLS):
            try:
                await smtp.starttls(server_hostname=host.name, tls_context=context, timeout=self.timeouts.command)
            except SMTPResponseException:
                if demand.policy:
                    raise
                return ""
            connection = cast(ssl.SSLObject, smtp.get_transport_info("ssl_object"))
        if demand.policy == DANE and not matches_tlsa(_chain_of(connection), demand):
            raise Unreachable(label, Stage.STARTTLS, _untrusted("the certificate matches no TLSA record"))
        return describe_tls(connection, demand)

    def _take_over(self, smtp: SMTP, offer: Offer, label: str, tls: str) -> Conversation:
        """From here on the connection is ours: aiosmtplib would lose pipelined answers."""
        transport = cast(asyncio.Transport, smtp.transport)
        if transport is None or transport.is_closing():
            raise Unreachable(label, Stage.HELO, Reply(0, _CONNECTION_BROKE, "Connection lost after EHLO"))
        conversation = Conversation(transport, offer, self.timeouts, host=label, tls=tls)
        transport.set_protocol(conversation)
        return conversation


@contextmanager
def _stage(label: str, stage: Stage) -> Iterator[None]:
    """Whatever goes wrong in here is the host's being Unreachable at this stage."""
    try:
        yield
    except SMTPResponseException as refusal:
        raise Unreachable(label, stage, _read_refusal(refusal)) from refusal
    except TimeoutError as error:
        raise Unreachable(label, stage, Reply(0, _NO_CONNECTION, f"No answer in time (at {stage})")) from error
    except (SMTPException, OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise Unreachable(label, stage, Reply(0, _NO_CONNECTION, f"No connection: {words} (at {stage})")) from error


def _read_refusal(refusal: SMTPResponseException) -> Reply:
    """The receiver's words; code 0 where they were no SMTP answer."""
    reply = make_reply(max(refusal.code, 0), refusal.message.encode("utf-8", "replace").decode().split("\n"))
    return reply if 400 <= reply.code < 600 else Reply(0, _CONNECTION_BROKE, f"Not an SMTP answer: {reply}")


def _untrusted(words: str) -> Reply:
    return Reply(0, _CONNECTION_BROKE, f"No safe connection: {words} (at {Stage.STARTTLS})")


def _chain_of(connection: ssl.SSLObject) -> list[bytes]:
    """The certificates the host sent, its own first, as DER."""
    get_chain = getattr(connection, "get_unverified_chain", None)
    if get_chain:  # Python 3.13 and newer
        return [bytes(certificate) for certificate in get_chain()]
    inner = getattr(connection, "_sslobj", None)  # before 3.13 the chain is only here
    if inner is None:
        certificate = connection.getpeercert(binary_form=True)
        return [certificate] if certificate else []
    return [ssl.PEM_cert_to_DER_cert(certificate.public_bytes()) for certificate in inner.get_unverified_chain()]
