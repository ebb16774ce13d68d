"""OpenSMTPD, as Debian ships it."""

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

_DOVECOT_WITHOUT_ROOM = "\"|echo 'Quota exceeded (mailbox for user is full)'; exit 77\""

_CONFIGURATION = """
pki {host} cert "{certificate}"
pki {host} key "{certificate}"
table members file:/etc/mail/members
filter "full-for-now" phase rcpt-to match rcpt-to {{ "full-for-now@{domain}" }} reject "{full_for_now}"
filter "full" phase rcpt-to match rcpt-to {{ "full@{domain}" }} reject "{full}"
filter "grey" phase rcpt-to match rcpt-to {{ "grey@{domain}" }} reject "{grey}"
filter "answers" chain {{ "full-for-now", "full", "grey" }}
queue ttl 6s
bounce warn-interval 2s
smtp max-message-size 10M
listen on {address} port 25 tls pki {host} hostname {host} filter "answers"
action "mailbox" maildir "{mail}/{domain}/%{{dest.user}}" virtual <members> user mail
action "patient" relay helo {host} src {address} ttl 1h
action "elsewhere" relay helo {host} src {address}
match from any for domain "{domain}" action "mailbox"
match from local for domain "{slow}" action "patient"
match from local for any action "elsewhere"
"""


@asynccontextmanager
async def running_opensmtpd(place: Place, elsewhere: str) -> AsyncIterator[None]:
    """OpenSMTPD for the members of a place; one of them has moved to `elsewhere`, where nobody knows of it."""
    place.write_certificate()
    write_table(
        "/etc/mail/members",
        {
            "astrid": "mail",
            "full-for-now": "mail",
            "full": "mail",
            "grey": "mail",
            "full-later": _DOVECOT_WITHOUT_ROOM,
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
    write("/etc/smtpd.conf", text)
    _make_spool()
    make_folder(MAIL / place.domain, "mail")
    async with running(["smtpd", "-d"], place.log, (place.address, 25)):
        yield


def _make_spool() -> None:
    make_folder("/var/lib/opensmtpd/empty")
    make_folder("/var/spool/smtpd", mode=0o711)
    for name in ["corrupt", "incoming", "purge", "queue", "temporary"]:
        make_folder(f"/var/spool/smtpd/{name}", "opensmtpq", "root", 0o700)
    make_folder("/var/spool/smtpd/offline", "root", "opensmtpq", 0o770)


OPENSMTPD = Server(
    "opensmtpd",
    ("opensmtpd", "opensmtpq"),
    {
        "astrid": TAKEN,
        "unknown": refused(R.USER_UNKNOWN),
        "full-for-now": FULL,
        "full": FULL,
        "grey": GREY,
        "full-later": failed(R.MAILBOX_FULL),
        "moved-nowhere": came_back(R.HOST_UNKNOWN),
        "moved-closed": given_up(R.EXPIRED),  # it does not know a null MX and tries on
        "moved-unknown": came_back(R.USER_UNKNOWN),
        "broken": failed(R.MAILER_ERROR),
        "silent": given_up(R.EXPIRED),
        "slow": LATE,
    },
    running_opensmtpd,
)
