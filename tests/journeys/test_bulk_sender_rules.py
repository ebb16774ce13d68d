"""What Gmail, Yahoo and Microsoft ask of who sends much mail, as a checklist over a mail as it is rendered and sent.

The rules: support.google.com/a/answer/81126, senders.yahooinc.com/best-practices, and Microsoft's requirements for
high-volume senders to Outlook.com (2025). What is asked of DNS (SPF, DMARC, PTR) is `brevduva doctor`'s to look at.
"""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr

import pytest

from engine.clock import HandClock
from engine.keys import dkim_record
from engine.sandbox.certificate import self_signed_context
from engine.store.database import Database
from tests.compose.letters import verifies
from tests.fakes.mx import FakeMx
from tests.journeys.town import open_town, queue_post, town_keys
from tests.store.association import NOW

SENDER_DOMAIN = "brevduva.example"
GMAIL_CLIPS_AT_BYTES = 102_400
SETTINGS = {"web": {"base_url": "https://post.brevduva.example"}}


class Arrived:
    """One mail as a receiver has it: the commands, the bytes and the head."""

    def __init__(self, receiver: FakeMx) -> None:
        [self.raw] = receiver.mails
        self.commands = receiver.commands
        head = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(head, EmailMessage)
        self.head = head

    @property
    def return_path_domain(self) -> str:
        [path] = [command for command in self.commands if command.startswith("MAIL FROM")]
        return path.partition("<")[2].partition(">")[0].rpartition("@")[2]

    @property
    def signature(self) -> dict[str, str]:
        """The tags of the first DKIM signature."""
        tags = re.sub(r"\s+", "", str(self.head["DKIM-Signature"])).split(";")
        return dict(tag.split("=", 1) for tag in tags if tag)


@pytest.fixture
async def arrived(database: Database) -> Arrived:
    receiver = FakeMx(tls=self_signed_context(["mx.storpost.example"]))
    async with open_town({"storpost.example": receiver}) as town:
        await queue_post(database, ["ida@storpost.example"], NOW)
        outbound = town.sender(database, HandClock(NOW), **SETTINGS)
        await outbound.run_until_idle()
        await outbound.close()
    return Arrived(receiver)


def _is_aligned(domain: str) -> bool:
    """Relaxed alignment (RFC 7489 3.1): the same organisation's domain."""
    return domain == SENDER_DOMAIN or domain.endswith(f".{SENDER_DOMAIN}")


async def test_a_mail_fulfils_every_rule_for_bulk_senders(arrived: Arrived) -> None:
    failed = [rule for rule, holds in _checklist(arrived).items() if not holds]
    assert failed == []


def _checklist(mail: Arrived) -> dict[str, bool]:
    head, signature = mail.head, mail.signature
    name, address = parseaddr(str(head["From"]))
    lines = mail.raw.split(b"\r\n")
    [(selector, key)] = town_keys().dkim
    published = {f"{selector}._domainkey.{SENDER_DOMAIN}.".encode(): dkim_record(key).encode()}
    signed = {field.lower() for field in signature["h"].split(":")}
    once = ("From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type")
    unsubscribe = str(head["List-Unsubscribe"])
    text, html = (head.get_body((kind,)) for kind in ("plain", "html"))
    return {
        "DKIM signs and verifies": verifies(mail.raw, published) == [True],
        "DKIM's domain is aligned with From": _is_aligned(signature["d"]) and _is_aligned(address.rpartition("@")[2]),
        "the return path is aligned with From, so that SPF counts for DMARC": _is_aligned(mail.return_path_domain),
        "DKIM covers From, Subject, Date, To and Message-ID": {"from", "subject", "date", "to", "message-id"} <= signed,
        "DKIM covers both unsubscribe fields": {"list-unsubscribe", "list-unsubscribe-post"} <= signed,
        "nothing limits the body that DKIM covers": "l" not in signature,
        "From, Date and the rest stand there once": all(len(head.get_all(field, [])) == 1 for field in once),
        "one address in From": len(head["From"].addresses) == 1 and not head["Sender"],
        "From says who sends": bool(name),
        "From can be answered": address.count("@") == 1 and "noreply" not in address,
        "Date is the time of sending": abs(head["Date"].datetime - NOW) < timedelta(minutes=1),
        "Message-ID is one of ours": bool(re.fullmatch(r"<[^<>@\s]+@[a-z0-9.-]+>", str(head["Message-ID"]))),
        "one click unsubscribes (RFC 8058)": str(head["List-Unsubscribe-Post"]) == "List-Unsubscribe=One-Click",
        "unsubscribing goes over https": bool(re.search(r"<https://[^<>\s]+>", unsubscribe)),
        "unsubscribing by mail is offered too": "<mailto:" in unsubscribe,
        "an unsubscribe link stands in both bodies": all(
            body is not None and "https://post.brevduva.example/u/" in body.get_content() for body in (text, html)
        ),
        "no forged Re: or Fwd:": not re.match(r"(re|fwd?|sv|vs)\s*:", str(head["Subject"]), re.IGNORECASE)
        and not head["In-Reply-To"],
        "no line over 998 octets (RFC 5322 2.1.1)": max(map(len, lines)) <= 998,
        "no header line over 78 that could be shorter": not any(map(_could_be_shorter, _head_lines(mail))),
        "every line ends with CR LF": mail.raw.count(b"\n") == mail.raw.count(b"\r") == mail.raw.count(b"\r\n"),
        "the head is ASCII": mail.raw.partition(b"\r\n\r\n")[0].isascii(),
        "text beside HTML": head.get_content_type() == "multipart/alternative"
        and text is not None
        and html is not None,
        "nothing hidden, no script, no form": not re.search(
            rb"(?i)<script|<form|display:\s*none|font-size:\s*0", mail.raw
        ),
        "no pixel": not re.search(rb"(?i)<img", mail.raw),
        "not so big that it is clipped": len(mail.raw) < GMAIL_CLIPS_AT_BYTES,
        "over TLS": "STARTTLS" in mail.commands,
        "HELO with a full name": mail.commands[0] == "EHLO mail.brevduva.example",
        "complaints find their way (Feedback-ID)": len(str(head["Feedback-ID"]).split(":")) == 4,
        "one recipient a mail": sum(command.startswith("RCPT") for command in mail.commands) == 1,
        "not disguised as bulk of another kind": not head["Precedence"] and not head["Auto-Submitted"],
    }


def _head_lines(mail: Arrived) -> list[bytes]:
    return mail.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")


def _could_be_shorter(line: bytes) -> bool:
    """Over 78 octets (RFC 5322 2.1.1), though there is a space to fold at behind the field's name."""
    return len(line) > 78 and b" " in line.lstrip().partition(b": ")[2]
