"""One member's mail, from its headers to its signatures."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.vocabulary import BodyFormat, MailingKind
from engine.compose.message import CONFIRM_LINK, prepare
from engine.compose.wire import dot_stuff
from engine.return_path import Purpose, message_of_address, sign, verify
from tests.compose.letters import MAILING, RING, Member, identity, part, read, ready, verifies

TEXT = st.text(st.characters(codec="utf-8"), max_size=300)


def test_the_headers_say_who_sends_and_how_to_leave() -> None:
    mail = read(ready().render(Member(first_name="Åsa")))
    token, leave = sign(RING, Purpose.BOUNCE, 12345), sign(RING, Purpose.UNSUBSCRIBE, 12345)
    assert mail["From"] == "Anna Andersson via Björneborgs Båtklubb <utskick@brevduva.example>"
    assert mail["Reply-To"] == "Anna Andersson <anna@klubb.example>"
    assert mail["To"] == "Åsa Idunsson <ida@example.org>"
    assert mail["Subject"] == "Årsmöte"
    assert mail["Date"] == "Mon, 02 Mar 2026 09:00:00 +0000"
    assert mail["Message-ID"] == f"<{token}@retur.brevduva.example>"
    assert mail["X-Brevduva-Token"] == mail["CFBL-Feedback-ID"] == token
    assert mail["CFBL-Address"] == "feedback@retur.brevduva.example; report=arf"
    assert mail["List-Id"] == "Björneborgs Båtklubb <batklubben.brevduva.example>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Feedback-ID"] == "7:batklubben:mailing:brevduva"
    link, mailto = re.findall(r"<([^>]*)>", mail["List-Unsubscribe"])
    assert link == f"https://post.brevduva.example/u/{leave}"
    unsubscribe = (Purpose.UNSUBSCRIBE, 12345)
    assert message_of_address(RING, mailto.removeprefix("mailto:"), "retur.brevduva.example") == unsubscribe
    assert "Auto-Submitted" not in mail
    assert "Precedence" not in mail


def test_a_mail_keeps_the_rules_of_the_big_receivers() -> None:
    wire = ready(signed=True).render(Member())
    head, _, body = wire.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0].lower() for line in head.replace(b"\r\n ", b" ").split(b"\r\n")]
    signed = [
        set(listed.replace(b" ", b"").split(b":")) for listed in re.findall(rb" h=([^;]*);", head.replace(b"\r\n", b""))
    ]
    assert len(signed) == 2
    for name in (b"from", b"to", b"subject", b"date", b"message-id"):
        assert names.count(name) == 1
    for name in (b"from", b"list-unsubscribe", b"list-unsubscribe-post", b"cfbl-address", b"cfbl-feedback-id"):
        assert all(name in one for one in signed)
    assert re.search(rb" d=brevduva.example;", head)
    assert b"\r\nFrom: " in head
    assert b"@brevduva.example>" in head
    assert b"/u/" in body


def test_a_mail_is_made_again_byte_for_byte() -> None:
    member = Member()
    first = prepare(MAILING, identity(signed=True)).render(member)
    assert prepare(MAILING, identity(signed=True)).render(member) == first
    assert ready(signed=True).render(replace(member, message_id=12346)) != first


@given(subject=TEXT, body=TEXT, first=TEXT, last=TEXT, body_format=st.sampled_from(BodyFormat))
@settings(max_examples=50, deadline=None)
def test_whatever_is_written_both_signatures_verify_and_no_bare_byte_leaves(
    subject: str, body: str, first: str, last: str, body_format: BodyFormat
) -> None:
    prepared = ready(signed=True, subject=f"{subject} %NAME%", body=f"{body}\n%FIRST_NAME% {body}", format=body_format)
    wire = prepared.render(Member(first_name=first, last_name=last))
    assert verifies(wire) == [True, True]
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", wire)
    assert wire.isascii()
    assert max(map(len, wire.split(b"\r\n"))) <= 998
    assert dot_stuff(wire) == wire
    assert wire.endswith(b"\r\n")


def test_a_changed_or_added_header_breaks_the_signatures() -> None:
    wire = ready(signed=True).render(Member())
    assert verifies(wire) == [True, True]
    for forged in (
        wire.replace(b"Reply-To: Anna", b"Reply-To: Hanna"),
        wire.replace(b"\r\nTo: ", b"\r\nSubject: Ny\r\nTo: "),
        wire.replace(b"\r\nTo: ", b"\r\nFrom: x@example.org\r\nTo: "),
        wire.replace(b"lkommen", b"llkommen"),
    ):
        assert forged != wire
        assert verifies(forged) == [False, False]


def test_the_signature_bears_the_time_of_the_message_not_of_the_signing() -> None:
    wire = ready(signed=True).render(Member())
    assert wire.count(b" t=%d;" % int(Member().created_at.timestamp())) == 2


def test_an_international_address_stands_in_to_as_it_is_delivered() -> None:
    wire = ready(signed=True).render(Member(email="Åsa@Åland.fi", domain="xn--land-poa.fi"))
    assert "To: Ida Idunsson <Åsa@xn--land-poa.fi>\r\n".encode() in wire


def test_a_confirmation_request_carries_the_members_own_link() -> None:
    body = f"**[Bekräfta]({CONFIRM_LINK})** eller {CONFIRM_LINK}"
    wire = ready(kind=MailingKind.CONFIRMATION, body=body).render(Member())
    page, text = part(wire, "html"), part(wire, "plain")
    (token,) = set(re.findall(r"https://post.brevduva.example/c/([a-z0-9.]+)", page + text))
    assert verify(RING, Purpose.CONFIRM, token) == 12345
    assert page.count(f'href="https://post.brevduva.example/c/{token}"') == 2
    assert read(wire)["Auto-Submitted"] == "auto-generated"


def test_only_a_confirmation_request_has_confirmation_links() -> None:
    wire = ready(body=f"Klicka {CONFIRM_LINK}").render(Member())
    assert CONFIRM_LINK in part(wire, "plain")
    assert "/c/" not in part(wire, "plain") + part(wire, "html")


@pytest.mark.parametrize("body_format", list(BodyFormat))
def test_a_preview_shows_what_will_be_sent(body_format: BodyFormat) -> None:
    prepared = ready(subject="Till %NAME%", body="Hej %NAME%, kära  vän!", format=body_format)
    seen, wire = prepared.show(Member()), prepared.render(Member())
    assert seen.subject == read(wire)["Subject"]
    assert seen.text.splitlines() == part(wire, "plain").splitlines()
    assert seen.html.splitlines() == part(wire, "html").splitlines()
    assert (seen.recipient, seen.warnings) == ("Ida Idunsson <ida@example.org>", ())
    assert seen.sender == "Anna Andersson via Björneborgs Båtklubb <utskick@brevduva.example>"
    assert seen.reply_to == "Anna Andersson <anna@klubb.example>"
