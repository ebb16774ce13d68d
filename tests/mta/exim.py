"""Exim, as Debian ships it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from config.vocabulary import Reason as R
from tests.mta.fates import (
    CLOSED,
    FULL,
    FULL_FOR_NOW_WORDS,
    FULL_WORDS,
    GREY,
    GREY_WORDS,
    LATE,
    NOWHERE,
    SILENT,
    SLOW,
    TAKEN,
    came_back,
    failed,
    given_up,
    refused,
)
from tests.mta.server import MAIL, Place, Server, make_folder, running, write, write_table

_CONFIGURATION = """
primary_hostname = {host}
domainlist local_domains = {domain}
local_interfaces = {address}
daemon_smtp_ports = 25
disable_ipv6 = true
log_file_path = /var/spool/exim4/%slog
keep_environment =
never_users =
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {certificate}
dsn_advertise_hosts = *
rfc1413_query_timeout = 0s
delay_warning = 2s:24h
delay_warning_condition = yes
ignore_bounce_errors_after = 0s
acl_smtp_rcpt = check_recipient

begin acl
check_recipient:
  defer local_parts = full-for-now
        message = {full_for_now}
  deny  local_parts = full
        message = {full}
  defer local_parts = grey
        message = {grey}
  require domains = +local_domains
        message = relay not permitted
  accept local_parts = lsearch;/etc/exim4/members
  require verify = recipient
  accept

begin routers
elsewhere:
  driver = dnslookup
  domains = ! +local_domains
  transport = elsewhere
  no_more
forwarded:
  driver = redirect
  data = ${{lookup{{$local_part}}lsearch{{/etc/exim4/members}}}}
  pipe_transport = program
  user = mail
mailbox:
  driver = accept
  local_parts = astrid : postmaster : full : full-for-now : grey : full-later
  transport = mailbox

begin transports
elsewhere:
  driver = smtp
  interface = {address}
program:
  driver = pipe
  return_output
mailbox:
  driver = appendfile
  directory = {mail}/{domain}/$local_part_data
  maildir_format
  user = mail
  group = mail
  quota = ${{if eq{{$local_part}}{{full-later}}{{1K}}{{0}}}}

begin retry
{slow} * F,1h,1s
* * F,5s,1s
"""


@asynccontextmanager
async def running_exim(place: Place, elsewhere: str) -> AsyncIterator[None]:
    """Exim for the members of a place; one of them has moved to `elsewhere`, where nobody knows of it."""
    place.write_certificate("Debian-exim")
    write_table(
        "/etc/exim4/members",
        {
            "moved-nowhere": f"astrid@{NOWHERE}",
            "moved-closed": f"astrid@{CLOSED}",
            "moved-unknown": elsewhere,
            "broken": "|/bin/false",
            "silent": f"astrid@{SILENT}",
            "slow": f"astrid@{SLOW}",
        },
        ": ",
    )
    text = _CONFIGURATION.format(
        host=place.host,
        domain=place.domain,
        address=place.address,
        certificate=place.certificate,
        full_for_now=FULL_FOR_NOW_WORDS,
        full=FULL_WORDS,
        grey=GREY_WORDS,
        mail=MAIL,
        slow=SLOW,
    )
    write("/etc/exim4/exim4.conf", text)
    make_folder("/var/spool/exim4", "Debian-exim", mode=0o750)
    make_folder("/run/exim4", "Debian-exim")
    make_folder(MAIL / place.domain, "mail")
    async with running(["exim4", "-bdf", "-q1s"], place.log, (place.address, 25)):
        yield
        shutil.copy("/var/spool/exim4/mainlog", place.log)


EXIM = Server(
    "exim",
    ("Debian-exim",),
    {
        "astrid": TAKEN,
        "unknown": refused(R.USER_UNKNOWN, R.HOST_UNKNOWN),  # it says "Unrouteable address" of both
        "full-for-now": FULL,
        "full": FULL,
        "grey": GREY,
        "full-later": given_up(R.MAILBOX_FULL),
        "moved-nowhere": came_back(R.HOST_UNKNOWN),
        "moved-closed": came_back(R.NULL_MX),
        "moved-unknown": came_back(R.USER_UNKNOWN),
        "broken": failed(R.MAILER_ERROR),
        "silent": given_up(R.EXPIRED, R.NETWORK_ERROR),
        "slow": LATE,
    },
    running_exim,
)
