"""Listeners for the tests: in this process with any limits, or in a process of their own to be weighed and killed."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import trustme

from engine.listen.limits import ListenerLimits
from engine.listen.policy import RecipientPolicy
from engine.listen.server import Listener
from engine.listen.spool import Spool
from tests.listen.callers import HOSTNAME, POLICY
from tests.listen.process import ListenerProcess

Open = Callable[..., Awaitable["House"]]


class House:
    """A listener that stands, and its port."""

    def __init__(self, listener: Listener, port: int) -> None:
        self.listener = listener
        self.port = port

    @property
    def mails(self) -> list[bytes]:
        return [mail.raw for mail in self.listener.spool.pending()]


@pytest.fixture
async def open_house(tmp_path: Path) -> AsyncIterator[Open]:
    """Open listeners; they are stopped after the test."""
    houses: list[House] = []

    async def open_one(
        limits: ListenerLimits | None = None, policy: RecipientPolicy = POLICY, tls: ssl.SSLContext | None = None
    ) -> House:
        listener = Listener(Spool(tmp_path / "spool"), policy, HOSTNAME, limits=limits, tls=tls)
        houses.append(House(listener, await listener.start("127.0.0.1", 0)))
        return houses[-1]

    yield open_one
    for house in houses:
        await house.listener.stop(grace_seconds=1)


@pytest.fixture
async def house(open_house: Open) -> House:
    """A listener with the limits it has on the open internet."""
    return await open_house()


@pytest.fixture
def far_house(tmp_path: Path) -> Iterator[ListenerProcess]:
    """A listener in a process of its own."""
    with ListenerProcess(tmp_path / "spool") as process:
        yield process


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """The listener's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOSTNAME).configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    """The caller's side of TLS."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context
