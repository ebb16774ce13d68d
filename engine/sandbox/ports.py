"""Finds a port that the system has free for several sockets at once."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from typing import TypeVar

Bound = TypeVar("Bound")

_TRIES = 50


async def bind_together(bind: Callable[[], Awaitable[Bound]]) -> Bound:
    """Call `bind` until no socket of it finds its port taken; raises OSError after many tries."""
    for _ in range(_TRIES - 1):
        try:
            return await bind()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    return await bind()
