"""Whether the ports and certificates that the settings name can be used, asked before any process is started."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from config.settings import Receiving, Settings
from config.vocabulary import ServiceRole
from engine.errors import BrevduvaError
from engine.listen.server import read_certificate


def check_doors(settings: Settings, roles: Sequence[ServiceRole]) -> None:
    """Raise BrevduvaError for the first thing that would keep a role from opening its port."""
    if ServiceRole.WEB in roles:
        _try_to_bind("web", settings.web.host, settings.web.port)
    if ServiceRole.RECEIVE in roles:
        _try_to_bind("receiving", settings.receiving.host, settings.receiving.port)
        _try_certificate(settings.receiving)


def _try_to_bind(section: str, host: str, port: int) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, _, _, address = found[0]
        with socket.socket(family, kind) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
    except OSError as error:
        cure = f"end what has it, allow us to have it, or set another {section}.host and {section}.port"
        raise BrevduvaError(f"port {port} of {host} cannot be opened ({error.strerror}); {cure}") from None


def _try_certificate(receiving: Receiving) -> None:
    try:
        read_certificate(receiving)
    except OSError as error:
        cure = "name PEM files that we may read as receiving.tls_certificate and receiving.tls_key"
        raise BrevduvaError(f"the certificate cannot be used ({error.strerror or error}); {cure}") from None
