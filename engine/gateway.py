"""How mail and news leave this installation: whom it asks for names, and with which name and patience it dials."""

from __future__ import annotations

from collections.abc import Callable

from config.settings import Settings
from config.vocabulary import Reply, Route
from engine.clock import Clock
from engine.deliver.pool import Pool
from engine.deliver.session import Dialler
from engine.route.atlas import Atlas
from engine.route.guard import guard_for
from engine.route.mx import SMTP_PORT
from engine.route.resolver import Resolver
from engine.route.tls_policy import make_policies
from engine.route.web import WebClient


def make_resolver(settings: Settings, clock: Clock) -> Resolver:
    """In the sandbox all names are asked of the box."""
    if settings.sending.mode == "internet":
        return Resolver(clock)
    return Resolver(clock, nameservers=("127.0.0.1",), port=settings.sandbox.dns_port)


def make_atlas(settings: Settings, clock: Clock) -> Atlas:
    """In the sandbox every exchanger listens on one port."""
    resolver = make_resolver(settings, clock)
    if settings.sending.mode == "internet":
        return Atlas(resolver, clock, port=SMTP_PORT, policies=make_policies(resolver, clock, guard_for("internet")))
    return Atlas(resolver, clock, port=settings.sandbox.smtp_port)


def make_web(settings: Settings, clock: Clock) -> WebClient:
    """How web servers of others are asked: of this machine in the sandbox, never of this machine elsewhere."""
    return WebClient(make_resolver(settings, clock), guard_for(settings.sending.mode))


def make_pool(settings: Settings, clock: Clock, hear: Callable[[Route, Reply], None]) -> Pool:
    """`hear` is told of refusals that no mail was spent on."""
    sending = settings.sending
    dialler = Dialler(sending.hostname, settings.timeouts, sending.source_addresses, guard_for(sending.mode))
    return Pool(dialler, clock, hear=hear)
