"""Work that is done again and again: at every news, and after some rest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from engine.store.trouble import Trouble


async def repeat(
    work: Callable[[], Awaitable[object]],
    stop: asyncio.Event,
    rest_seconds: float,
    news: asyncio.Event | None = None,
    *,
    waits: str,
) -> None:
    """Do some work at every news and every so many seconds, until told to stop.

    `waits` is what is logged of a failure, after which the work is tried again; news do not hurry that.
    """
    news, trouble = news or asyncio.Event(), Trouble(waits)
    while not stop.is_set():
        news.clear()
        try:
            await work()
        except Exception as error:
            await _first_of(trouble.note(error), stop)
        else:
            trouble.end()
            await _first_of(rest_seconds, stop, news)


async def _first_of(seconds: float, *events: asyncio.Event) -> None:
    """Return when one of the events is set, or after some time."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
