"""Postfix, as Debian ships it, with OpenDKIM at its door."""

from __future__ import annotations

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
    NOWHERE,
    SILENT,
    TAKEN,
    came_back,
    failed,
    given_up,
    refused,
)
from tests.mta.master import USERS, running_master
from tests.mta.server import MAIL, Place, Server, make_folder, running, write, write_table

_MILTER = ("127.0.0.1", 8891)
_DOVECOT_WITHOUT_ROOM = "\"|echo 'Quota exceeded (mailbox for user is full)'; exit 77\""

_SETTINGS = """
myhostname = {host}
mydomain = {domain}
mydestination = {domain}
inet_interfaces = {address}
smtp_bind_address = {address}
alias_maps = texthash:/etc/postfix/members
smtpd_recipient_restrictions = check_recipient_access texthash:/etc/postfix/access, reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_chain_files = {certificate}
smtp_tls_security_level = may
smtpd_milters = inet:{milter}
milter_default_action = tempfail
maximal_queue_lifetime = 6s
bounce_queue_lifetime = 6s
delay_warning_time = 2s
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
"""

_OPENDKIM = """
Mode v
Socket inet:{port}@{address}
AuthservID {host}
AlwaysAddARHeader yes
Nameservers 127.0.0.1
Syslog no
"""


@asynccontextmanager
async def running_postfix(place: Place, elsewhere: str) -> AsyncIterator[None]:
    """Postfix for the members of a place; one of them has moved to `elsewhere`, where nobody knows of it."""
    place.write_certificate()
    _write_tables(place, elsewhere)
    settings = _SETTINGS.format(
        host=place.host,
        domain=place.domain,
        address=place.address,
        certificate=place.certificate,
        milter=":".join(map(str, _MILTER)),
    )
    dkim = write("/etc/opendkim.conf", _OPENDKIM.format(host=place.host, address=_MILTER[0], port=_MILTER[1]))
    async with (
        running(["opendkim", "-f", "-x", str(dkim)], place.folder / "opendkim.log", _MILTER),
        running_master(place.log, settings, "smtp inet n - n - - smtpd", place.address),
    ):
        yield


def _write_tables(place: Place, elsewhere: str) -> None:
    write_table(
        "/etc/postfix/members",
        {
            "postmaster": f"{MAIL}/{place.domain}/postmaster/",
            "astrid": f"{MAIL}/{place.domain}/astrid/",
            "full-for-now": "/dev/null",
            "full": "/dev/null",
            "grey": "/dev/null",
            "full-later": _DOVECOT_WITHOUT_ROOM,
            "moved-nowhere": f"astrid@{NOWHERE}",
            "moved-closed": f"astrid@{CLOSED}",
            "moved-unknown": elsewhere,
            "broken": '"|exit 1"',
            "silent": f"astrid@{SILENT}",
        },
    )
    answers = {"full-for-now": FULL_FOR_NOW_WORDS, "full": FULL_WORDS, "grey": GREY_WORDS}
    write_table("/etc/postfix/access", {f"{name}@{place.domain}": answer for name, answer in answers.items()})
    make_folder(MAIL / place.domain, "nobody", "nogroup")


POSTFIX = Server(
    "postfix",
    USERS,
    {
        "astrid": TAKEN,
        "unknown": refused(R.USER_UNKNOWN),
        "full-for-now": FULL,
        "full": FULL,
        "grey": GREY,
        "full-later": failed(R.MAILBOX_FULL),
        "moved-nowhere": came_back(R.HOST_UNKNOWN),
        "moved-closed": came_back(R.NULL_MX),
        "moved-unknown": came_back(R.USER_UNKNOWN, R.HOST_UNKNOWN),
        "broken": failed(R.MAILER_ERROR, R.SYSTEM_ERROR),
        "silent": given_up(R.EXPIRED, R.NETWORK_ERROR),
    },
    running_postfix,
)
