"""Postfix's own programs, as every Postfix here runs them; what it is there for comes with the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.mta.server import make_folder, running, write

USERS = ("postfix", "postdrop")

_QUEUES = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush"),
    *("hold", "incoming", "private", "saved", "trace"),
)

_SETTINGS = """
compatibility_level = 3.6
mail_owner = postfix
setgid_group = postdrop
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
meta_directory = /usr/share/postfix
maillog_file = {log}
maillog_file_prefixes = /
mynetworks =
inet_protocols = ipv4
alias_database =
local_recipient_maps = $alias_maps
smtpd_relay_restrictions =
"""

SERVICES = """
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
"""What a Postfix runs behind its doors."""


@asynccontextmanager
async def running_master(log: Path, settings: str, doors: str, address: str) -> AsyncIterator[None]:
    """Postfix with more settings (main.cf) and with its doors to the network (master.cf), one of them at `address`."""
    _make_queue()
    write("/etc/postfix/main.cf", _SETTINGS.format(log=log) + settings)
    write("/etc/postfix/master.cf", doors + SERVICES)
    async with running(["/usr/lib/postfix/sbin/master", "-s"], log, (address, 25)):
        yield


def _make_queue() -> None:
    make_folder("/var/lib/postfix", "postfix")
    make_folder("/var/spool/postfix")
    make_folder("/var/spool/postfix/pid")
    for name in _QUEUES:
        make_folder(f"/var/spool/postfix/{name}", "postfix", mode=0o700)
    make_folder("/var/spool/postfix/maildrop", "postfix", "postdrop", 0o1730)
    make_folder("/var/spool/postfix/public", "postfix", "postdrop", 0o2710)
