"""A body on its way from the wire into the spool: counted, timed, looked at, and kept or refused."""

from __future__ import annotations

import asyncio
import errno

import structlog

from config.vocabulary import Reply
from engine.listen import replies
from engine.listen.body import Body
from engine.listen.incoming import Incoming
from engine.listen.limits import ListenerLimits
from engine.listen.spool import Spool
from engine.listen.wire import LastWordsError, Wire

log = structlog.get_logger("listen")


async def take_in(mail: Incoming, wire: Wire, spool: Spool, limits: ListenerLimits) -> Reply:
    """Receive one mail to its final dot; returns what to say to it, and only KEPT means that it is on the disk.

    Raises LastWordsError and HungUpError where the rest of the body will never be read.
    """
    return await _receive(mail, wire, limits) or await _keep(mail, spool)


async def _receive(mail: Incoming, wire: Wire, limits: ListenerLimits) -> Reply | None:
    """Read a whole body into the spool; returns the refusal, or None where all of it may be kept."""
    refusal: Reply | None = replies.TROUBLE
    try:
        refusal = await _read_body(mail, wire, limits)
    finally:
        if refusal:
            mail.discard()
    return refusal


async def _read_body(mail: Incoming, wire: Wire, limits: ListenerLimits) -> Reply | None:
    body, refusal, started = Body(), None, asyncio.get_running_loop().time()
    while not body.is_complete:
        if body.size_bytes > limits.message_bytes + limits.overrun_bytes:
            raise LastWordsError(replies.TOO_BIG)
        content = body.feed(await wire.next_chunk(started + limits.data_time_seconds(body.size_bytes)))
        refusal = refusal or _refuse(body, limits) or await _write(mail, content)
    wire.put_back(body.rest)
    return refusal


def _refuse(body: Body, limits: ListenerLimits) -> Reply | None:
    if body.size_bytes > limits.message_bytes:
        return replies.TOO_BIG
    return replies.BARE_CHARACTERS if body.has_bare_characters else None


async def _write(mail: Incoming, content: bytes) -> Reply | None:
    try:
        await mail.write(content)
    except OSError as error:
        return _reply_to_disk(error)
    return None


async def _keep(mail: Incoming, spool: Spool) -> Reply:
    """Commit; from here on the mail is kept even if the peer leaves before it hears so."""
    try:
        await spool.commit(mail)
    except OSError as error:
        return _reply_to_disk(error)
    return replies.KEPT


def _reply_to_disk(error: OSError) -> Reply:
    log.error("spool", trouble=error.strerror)
    return replies.NO_ROOM if error.errno in (errno.ENOSPC, errno.EDQUOT) else replies.TROUBLE
