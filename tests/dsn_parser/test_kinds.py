"""A mail is told a bounce, an automatic answer, a challenge, a wish to leave, or a person's letter."""

from __future__ import annotations

import pytest

from config.vocabulary import ReportKind
from dsn_parser.read_report import read_report


def mail(subject: str, text: str = "Hej.", sender: str = "Ida <ida@example.org>", extra: str = "") -> bytes:
    head = f"Return-Path: <ida@example.org>\nFrom: {sender}\nTo: b+1.2@studs.example\nSubject: {subject}\n"
    return f"{head}{extra}\n{text}\n".encode()


@pytest.mark.parametrize(
    "raw",
    [
        mail("Hej", extra="Auto-Submitted: auto-replied (vacation)\n"),
        mail("Hej", extra="X-Autoreply: yes\n"),
        mail("Hej", extra="Precedence: auto_reply\n"),
        mail("Automatic reply: Hej"),
        mail("Autosvar: Hej"),
        mail("Automaattinen vastaus: Hej"),
        mail("Abwesenheitsnotiz: Hej"),
        mail("Réponse automatique : Hej"),
        mail("Out of Office: Hej"),
        mail("不在のお知らせ"),
        mail("Re: Hej", "I am out of the office until Monday. My mailbox is full of mail."),
        mail("SV: Hej", "Jag är på semester till den 3 augusti."),
        mail("Vs: Hej", "Olen lomalla."),
        mail("Re: Hej", "Ida has left the company."),
        mail(
            "Autosvar",
            "I can not receive mail until Monday. Write to ola@example.org.",
            extra="Auto-Submitted: auto-replied\n",
        ),
        mail("Automatic reply: Delivery failure", "My mailbox ida@example.org was closed, mail is not forwarded."),
    ],
)
def test_an_automatic_answer(raw: bytes) -> None:
    report = read_report(raw)
    assert (report.kind, report.findings) == (ReportKind.AUTO_REPLY, ())


@pytest.mark.parametrize(
    "raw",
    [
        mail("Please confirm your message"),
        mail("Your message", "Please verify that you are a human by clicking the link below."),
        mail("Re: Hej", "This mailbox is protected by SpamArrest."),
        mail("Re: Hej", "Your mail is being held until you confirm it."),
        mail("Re: Hej", "Unknown senders must be confirmed once. TMDA"),
    ],
)
def test_a_challenge(raw: bytes) -> None:
    assert read_report(raw).kind is ReportKind.CHALLENGE


@pytest.mark.parametrize(
    "raw",
    [
        mail("unsubscribe"),
        mail("Unsubscribe me"),
        mail("Avregistrera mig"),
        mail("Peruuta tilaus"),
        mail("abmelden"),
        mail("", "unsubscribe"),
        mail("unsubscribe", "Apple Mail sent this email to unsubscribe from the message."),
        mail("Re: REMOVE"),
    ],
)
def test_a_wish_to_leave(raw: bytes) -> None:
    report = read_report(raw)
    assert report.kind is ReportKind.UNSUBSCRIBE
    assert [finding.recipient for finding in report.findings] == ["ida@example.org"]


@pytest.mark.parametrize(
    "raw",
    [
        mail("SV: Hej", "Tack, vi ses!"),
        mail("Re: Hej", "How do I unsubscribe? And why could my last mail not be delivered to the postmaster?"),
        mail("Re: Removal van", "We need one on Saturday, please remove the old sofa."),
        mail("Re: Hej", "Ola told me that his mailbox is full."),
        mail("Re: delivery failed?", "The chairs were not delivered to ola@example.org, they say."),
        mail("", ""),
    ],
)
def test_a_letter_from_a_person(raw: bytes) -> None:
    report = read_report(raw)
    assert (report.kind, report.findings) == (ReportKind.PERSON, ())


@pytest.mark.parametrize(
    "raw",
    [
        mail("failure notice", sender="MAILER-DAEMON@example.org"),
        mail("Undelivered Mail Returned to Sender", "<ida@example.org>: no such user", sender="<>"),
        mail(
            "Hej",
            "The following address failed: ida@example.org",
            extra="X-Failed-Recipients: ida@example.org\nAuto-Submitted: auto-replied\n",
        ),
        mail(
            "Hej", "Ditt brev kunde inte levereras till ola@example.org", sender="Postmaster <postmaster@example.org>"
        ),
        mail("Viestiä ei voitu toimittaa", "Vastaanottaja ola@example.org: unknown user"),
    ],
)
def test_a_bounce_for_people(raw: bytes) -> None:
    assert read_report(raw).kind is ReportKind.PLAIN_BOUNCE


def test_what_a_letter_answers_comes_nearest_first() -> None:
    report = read_report(
        mail("SV: Hej", extra="In-Reply-To: <2@a.example>\nReferences: <0@a.example> <1@a.example>\n <2@a.example>\n")
    )
    assert report.in_reply_to == ("<2@a.example>", "<1@a.example>", "<0@a.example>")
    assert (report.subject, report.sender) == ("SV: Hej", "ida@example.org")
