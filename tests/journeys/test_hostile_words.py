"""Whatever stands in a subject, a name or a body, the receiver sees one mail: no bare byte, no second command."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest
from sqlalchemy import update

from config.vocabulary import MessageStatus
from engine.clock import HandClock
from engine.keys import dkim_record
from engine.store.database import Database
from engine.store.tables import mailing, message
from tests.compose.letters import verifies
from tests.fakes.mx import FakeMx
from tests.journeys.town import messages, open_town, queue_post, statuses, town_keys
from tests.store.association import NOW

ENDS = [f"{first}.{second}" for first in ("\n", "\r\n", "\r", "\n\n") for second in ("\n", "\r\n", "\r")]
SMUGGLED = (
    "MAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nhej\r\n.\r\n"
)
HOSTILE = [
    *(f"Hej{end}{SMUGGLED}" for end in ENDS),
    "Hej\r\nBcc: victim@example.org",
    "Hej\rBcc: victim@example.org",
    "Hej\nBcc: victim@example.org\n\nen annan kropp",
    ".\r\n.\r\n..\r\n. \r\n.",
    "nul \x00 vt \x0b nel \x85 ls \u2028 ps \u2029 esc \x1b",
    "\r" * 50 + "\n" * 50,
    "." * 2000,
]


@pytest.mark.parametrize("place", ["subject", "body", "name"])
async def test_hostile_words_never_leave_their_place(database: Database, place: str) -> None:
    clock, receiver = HandClock(NOW), FakeMx()
    async with open_town({"ort.example": receiver}) as town:
        posts = [await queue_post(database, ["ida@ort.example"], NOW) for _ in HOSTILE]
        async with database.write() as connection:
            for post, words in zip(posts, HOSTILE, strict=True):
                text = words if database.is_sqlite else words.replace("\0", "")  # PostgreSQL keeps no NUL
                of_mailing = message.c.mailing_id == post.mailing_id
                if place == "name":
                    await connection.execute(update(message).where(of_mailing).values(first_name=text, last_name=text))
                else:
                    this = mailing.c.id == post.mailing_id
                    await connection.execute(update(mailing).where(this).values({place: text}))
        outbound = town.sender(database, clock)
        await outbound.run_until_idle()
        await outbound.close()
        for post in posts:
            assert await statuses(database, post) == {MessageStatus.SENT: 1}
    numbers = [one.message_id for post in posts for one in await messages(database, post)]
    assert len(receiver.mails) == len(numbers) == len(HOSTILE)
    assert {command.split()[0] for command in receiver.commands} <= {"EHLO", "MAIL", "RCPT", "DATA", "RSET", "QUIT"}
    assert sum("victim" in command or "evil" in command for command in receiver.commands) == 0
    for mail in receiver.mails:
        _assert_is_one_tidy_mail(mail)


def _assert_is_one_tidy_mail(mail: bytes) -> None:
    assert mail.count(b"\r") == mail.count(b"\n") == mail.count(b"\r\n")
    assert b"\0" not in mail
    lines = mail.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(line == b"." for line in lines)
    plain = b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)  # undone of its dot-stuffing
    head = message_from_bytes(plain, policy=policy.default)
    assert head["Bcc"] is None
    assert [len(head.get_all(name, [])) for name in ("From", "To", "Subject", "Date", "Message-ID")] == [1] * 5
    [(selector, key)] = town_keys().dkim
    published = {f"{selector}._domainkey.brevduva.example.".encode(): dkim_record(key).encode()}
    assert verifies(plain, published) == [True]
