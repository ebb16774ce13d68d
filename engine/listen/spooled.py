"""A mail in the spool: a file of one line of JSON, the envelope, and then the mail as it came."""

from __future__ import annotations

import errno
import io
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import AwareDatetime, TypeAdapter

_MOST_BYTES = 64 * 1024 * 1024
"""Far more than any mail that is taken: a bigger file is none of ours."""

_ITS_OWN_TROUBLE = frozenset({errno.EACCES, errno.EPERM, errno.EIO, errno.EISDIR, errno.ELOOP, errno.ENXIO})
"""What is wrong with one file; any other trouble is the machine's, and the file is read later."""

log = structlog.get_logger("spool")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the conversation said of a mail before its first byte."""

    envelope_from: str
    recipients: tuple[str, ...]
    peer: str
    helo: str
    tls: str
    received_at: AwareDatetime

    def to_line(self) -> bytes:
        return _ENVELOPE.dump_json(self) + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Envelope:
        """Read what `to_line` wrote; raises ValueError where it is something else."""
        return _ENVELOPE.validate_json(line)


_ENVELOPE = TypeAdapter(Envelope)


@dataclass(frozen=True, slots=True)
class SpooledMail:
    """One mail waiting in the spool."""

    path: Path
    envelope: Envelope
    raw: bytes

    def remove(self) -> None:
        """Take the mail out of the spool, once what it says stands in the database."""
        self.path.unlink(missing_ok=True)

    def set_aside(self) -> None:
        """Move a mail that cannot be worked with out of the way, kept for the operator."""
        _set_aside(self.path)


def read_spooled(path: Path) -> SpooledMail | None:
    """Read one file; None where another reader took it meanwhile, or where it is no mail of ours (set aside).

    Raises OSError where it is the machine that fails.
    """
    try:
        line, _, raw = _content_of(path).partition(b"\n")
        return SpooledMail(path, Envelope.from_line(line), raw)
    except FileNotFoundError:
        return None
    except OSError as trouble:
        if trouble.errno not in _ITS_OWN_TROUBLE:
            raise
        _set_aside(path)
    except ValueError:
        _set_aside(path)
    return None


def _content_of(path: Path) -> bytes:
    """Read a plain file; raises ValueError for a folder, a pipe, or what is too big, and never waits for one."""
    with io.FileIO(path, opener=_open_at_once) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
            raise ValueError("no mail of ours")
        return file.readall()


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _set_aside(path: Path) -> None:
    log.error("no mail of ours, set aside", file=path.name)
    aside = path.parent.parent / "aside"
    aside.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileNotFoundError):  # another reader did it
        path.rename(aside / path.name)
