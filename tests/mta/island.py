"""A machine of its own for one program: network, processes and mounts that nobody else sees, and that go with it.

The program is alone with a loopback interface, so that it may have port 25 of every address in 127.0.0.0/8; unpacked
servers lie over its /usr, and its /etc names users and a name server of its own. Nothing of it touches the machine.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
SERVERS = REPOSITORY / ".tools" / "mta"
RESULT = "result.json"
LOG = "island.log"

UNSHARE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
_EMPTY_FOLDERS = ("/run", "/var/spool", "/var/mail", "/var/lib")
_FIRST_ID = 20_001
_SET_ADDRESS, _SET_FLAGS, _IS_UP = 0x8916, 0x8914, 1  # ioctls of netdevice(7)


def what_is_missing() -> str | None:
    """Why there can be no island here, or None."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root on Linux can make a machine of its own for mail servers"
    if not (SERVERS / "unpacked").exists():
        return "Debian's mail and name servers are not unpacked (scripts/system-packages)"
    if subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode:
        return "this system gives no namespaces of its own (unshare)"
    return None


def run_on_island(module: str, folder: Path, seconds: float) -> dict[str, Any]:
    """Run `python -m module folder` on an island and return what it wrote with `give_result`.

    Raises AssertionError with the end of its log where it gave none. Everything it started ends with it.
    """
    with (folder / LOG).open("wb") as log:
        command = [*UNSHARE, sys.executable, "-m", module, str(folder)]
        try:
            subprocess.run(command, cwd=REPOSITORY, stdout=log, stderr=log, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            log.write(b"\nended: it took too long")
    result = folder / RESULT
    assert result.exists(), "\n".join((folder / LOG).read_text(errors="replace").splitlines()[-40:])
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return found


def give_result(folder: Path, result: object) -> None:
    (folder / RESULT).write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")


def settle(folder: Path, users: Sequence[str], addresses: Sequence[str]) -> None:
    """Make the island this process is on fit to live on: addresses, servers, users, and a name server at 127.0.0.1."""
    _raise_loopback(addresses)
    own = folder / "own"
    own.mkdir()
    _mount("-t", "tmpfs", "tmpfs", str(own))
    (own / "etc").mkdir()
    (own / "work").mkdir()
    _mount("-t", "overlay", "overlay", "-o", f"lowerdir=/etc,upperdir={own}/etc,workdir={own}/work", "/etc")
    _mount("-t", "overlay", "overlay", "-o", f"lowerdir={SERVERS}/usr:/usr", "/usr")
    for empty in _EMPTY_FOLDERS:
        _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", empty)
    _write_etc(users)


def _raise_loopback(addresses: Sequence[str]) -> None:
    """All of 127.0.0.0/8 works from here on; servers that look at the interface see the addresses given."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", _IS_UP))
        for number, address in enumerate(addresses):
            request = struct.pack("16sHH4s8x", f"lo:{number}".encode(), socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(any_socket, _SET_ADDRESS, request)


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def _write_etc(users: Sequence[str]) -> None:
    with Path("/etc/passwd").open("a") as passwd, Path("/etc/group").open("a") as group:
        for number, user in enumerate(users, _FIRST_ID):
            passwd.write(f"{user}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n")
            group.write(f"{user}:x:{number}:\n")
    for name, text in {
        "resolv.conf": "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n",
        "hosts": "127.0.0.1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\n",
        "services": "smtp 25/tcp mail\ndomain 53/tcp\ndomain 53/udp\n",
    }.items():
        path = Path("/etc", name)
        path.unlink(missing_ok=True)  # it may be a link to a file of another system's
        path.write_text(text)
