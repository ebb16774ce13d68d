"""The peer's turn: Debian's Postfix with OpenDKIM, fed over SMTP with the same mails, unsigned; only on an island."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config.settings import read_settings
from config.vocabulary import Host, Limits, Route
from engine.clock import SystemClock
from engine.deliver.attempt import Attempt, Envelope
from engine.deliver.pool import Pool
from engine.deliver.session import Dialler
from scripts.benchmarks._figures import Figures
from scripts.benchmarks._mailing import DOMAINS, address_of, domain
from scripts.benchmarks._sink import Sink
from scripts.benchmarks._usage import children_of, cpu_seconds, owned_mib, peak_mib
from tests.mta.master import SERVICES
from tests.mta.server import make_folder, running, write, write_table

USERS = ("postfix", "postdrop", "opendkim")
_DOOR = ("127.0.0.1", 25)
_FEEDING_CONNECTIONS = 20
_PATIENCE_SECONDS = 300.0
_QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace")

_MAIN = """
compatibility_level = 3.6
mail_owner = postfix
setgid_group = postdrop
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
meta_directory = /usr/share/postfix
maillog_file = {folder}/log
maillog_file_prefixes = /
myhostname = mail.brevduva.example
mydestination =
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no

transport_maps = texthash:/etc/postfix/transport
smtpd_milters = unix:{folder}/keys/milter
milter_default_action = tempfail
smtp_tls_security_level = may
smtp_tls_session_cache_database = btree:$data_directory/smtp_scache
"""

_MASTER = "smtp inet n - n - - smtpd" + SERVICES

_OPENDKIM = """
Mode s
Socket local:{folder}/keys/milter
UMask 000
Domain brevduva.example
Selector b1
KeyFile {folder}/keys/dkim.pem
Canonicalization relaxed/relaxed
InternalHosts 127.0.0.0/8
Syslog no
UserID opendkim
"""


async def run_turn(
    name: str, folder: Path, sink: Sink, envelopes: Sequence[Envelope], *, port: int = 0, extra: str = ""
) -> Figures:
    """Feed the mails and wait until the receiver has them all; it has been at work before.

    `port` is the receiver's where it is not the sink's own; `extra` stands at the end of main.cf.
    """
    async with _running_postfix(folder, port or sink.port, extra) as pids:
        await _feed(envelopes[:DOMAINS])
        await sink.wait_for(DOMAINS, _PATIENCE_SECONDS)
        sink.forget()
        cpu, began, peaks = cpu_seconds(pids), time.monotonic(), [0.0]
        async with asyncio.TaskGroup() as group:
            group.create_task(_feed(envelopes))
            await sink.wait_for(len(envelopes), _PATIENCE_SECONDS, lambda: peaks.append(owned_mib(pids)))
        told, cpu = sink.tell(), cpu_seconds(pids) - cpu
        assert told.mails == told.recipients == len(envelopes), told
        assert all(b"DKIM-Signature:" in sample for sample in told.samples)
        largest = max(map(peak_mib, pids))
        return Figures(name, len(envelopes), told.last_at - began, cpu, cpu, max(peaks), largest)


@asynccontextmanager
async def _running_postfix(folder: Path, port: int, extra: str) -> AsyncIterator[list[int]]:
    """Both servers with a queue in the folder, each domain's mail led to its address; yields their processes."""
    make_folder(folder / "data", "postfix")
    make_folder(folder / "queue" / "pid")
    for name in _QUEUES:
        make_folder(folder / "queue" / name, "postfix", mode=0o700)
    make_folder(folder / "queue" / "maildrop", "postfix", "postdrop", 0o1730)
    make_folder(folder / "queue" / "public", "postfix", "postdrop", 0o2710)
    make_folder(folder / "keys", "opendkim")
    _write_key(folder / "keys" / "dkim.pem")
    write("/etc/postfix/main.cf", _MAIN.format(folder=folder.absolute()) + extra)
    write("/etc/postfix/master.cf", _MASTER)
    places = {domain(number): f"smtp:[{address_of(number)}]:{port}" for number in range(DOMAINS)}
    write_table("/etc/postfix/transport", places)
    dkim = write("/etc/opendkim.conf", _OPENDKIM.format(folder=folder.absolute()))
    before = set(children_of(os.getpid()))
    async with (
        _running_opendkim(folder / "keys" / "milter", dkim),
        running(["/usr/lib/postfix/sbin/master", "-s"], folder / "master.log", _DOOR),
    ):
        yield sorted(set(children_of(os.getpid())) - before)


@asynccontextmanager
async def _running_opendkim(milter: Path, configuration: Path) -> AsyncIterator[None]:
    """The signer behind a socket in the file system: over TCP each mail waits 80 ms for delayed acknowledgements."""
    process = await asyncio.create_subprocess_exec("opendkim", "-f", "-x", str(configuration))
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not milter.exists():
                await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await process.wait()


def _write_key(path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    path.chmod(0o600)
    os.chown(path, path.parent.stat().st_uid, path.parent.stat().st_gid)


async def _feed(envelopes: Sequence[Envelope]) -> None:
    """Hand the mails over as fast as they are taken, with our own pipelined sessions; nobody pays for their CPU."""
    route = Route("postfix", "postfix", (Host("postfix", (_DOOR[0],), _DOOR[1]),))
    pool = Pool(Dialler("feeder.example", read_settings().timeouts), SystemClock())
    taken: list[Attempt] = []
    untried = await pool.deliver(route, envelopes, Limits(_FEEDING_CONNECTIONS, len(envelopes)), taken.append)
    refused = [attempt.reply for attempt in taken if attempt.reply.code != 250]
    assert not untried and not refused, refused[:3]
    await pool.close()
