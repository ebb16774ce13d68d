"""What Postfix, Exim and OpenSMTPD have in common here: a domain, an address, members, and mail that arrived."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.mta.fates import Fate

MAIL = Path("/var/mail")
_READY_SECONDS = 15.0
_LAST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server lives: its mail domain, its host's name and address, and the folder that keeps its log."""

    domain: str
    host: str
    address: str
    folder: Path

    @property
    def certificate(self) -> Path:
        return Path("/etc/ssl/island", f"{self.host}.pem")

    @property
    def log(self) -> Path:
        return self.folder / f"{self.domain}.log"

    def write_certificate(self, owner: str = "root") -> None:
        """A key and a certificate of an authority known to nobody, as with most mail servers."""
        made = trustme.CA().issue_cert(self.host)
        write(self.certificate, "")
        made.private_key_and_cert_chain_pem.write_to_path(str(self.certificate))
        shutil.chown(self.certificate, owner)
        self.certificate.chmod(0o600)

    def mails(self, mailbox: str) -> list[bytes]:
        """What lies in a maildir, with the line ends it was sent with."""
        found = sorted(MAIL.joinpath(self.domain, mailbox).glob("new/*"))
        return [path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for path in found]


@dataclass(frozen=True, slots=True)
class Server:
    """One kind of server: its name, the users it wants, its members, and how it is run.

    `run` takes the place, and an address elsewhere that one of the members has moved to and that nobody knows there.
    """

    name: str
    users: tuple[str, ...]
    fates: Mapping[str, Fate]
    run: Callable[[Place, str], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def running(command: Sequence[str], log: Path, port: tuple[str, int]) -> AsyncIterator[None]:
    """A server in the foreground, ready when its port answers; it and its children end with the block."""
    with log.open("ab") as words:
        process = await asyncio.create_subprocess_exec(*command, stdout=words, stderr=words, start_new_session=True)
    try:
        await _answers(process, port, log)
        yield
    finally:
        await _end(process)


async def _answers(process: asyncio.subprocess.Process, port: tuple[str, int], log: Path) -> None:
    async with asyncio.timeout(_READY_SECONDS):
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"ended with {process.returncode}, see {log}")
            try:
                _, writer = await asyncio.open_connection(*port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _LAST_SECONDS)
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def write(path: str | Path, text: str) -> Path:
    """Write a file that only root may change, with the folders above it."""
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    place.chmod(0o644)
    return place


def write_table(path: str, rows: Mapping[str, str], between: str = " ") -> Path:
    """A lookup table as text: a key, something between, a value."""
    return write(path, "".join(f"{key}{between}{value}\n" for key, value in rows.items()))


def make_folder(path: str | Path, owner: str = "root", group: str | None = None, mode: int = 0o755) -> Path:
    """A folder with its owner; without a group, the owner's own."""
    place = Path(path)
    place.mkdir(parents=True, exist_ok=True)
    shutil.chown(place, owner, group or owner)
    place.chmod(mode)
    return place
