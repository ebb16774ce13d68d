"""The mailing of the benchmarks: members at some domains, and a personal mail of about 5 kB to each of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from config.vocabulary import AddressStatus, BodyFormat, MailingKind, MailingState
from engine.compose.dkim import Signer
from engine.compose.message import Identity, Prepared, prepare
from engine.deliver.attempt import Envelope
from engine.mailing import drafts
from engine.register import associations
from engine.return_path import KeyRing, return_path
from engine.sandbox.dns import Name, address, mail_domain
from engine.store import offices, users
from engine.store.card_status import turn_where
from engine.store.cards import Content, add
from engine.store.database import Connection
from engine.store.mailings import Mailing, Sender
from engine.store.tables import card

DOMAINS = 50
A_DAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_RING = KeyRing((bytes(32),))
_BOUNCE_DOMAIN = "retur.brevduva.example"
_FIRST_NAMES = ("Åsa", "Ida", "Märta", "Lars-Erik", "Björn", "Siv", "Göran", "Anna-Lena", "Öyvind", "Maj")
_LAST_NAMES = ("Öberg", "Andersson", "Nyström", "af Klint", "Sjögren", "Lindholm", "Ek")
_PARAGRAPH = "Vi ses på årsmötet, %FIRST_NAME%, och äter våfflor med grädde efteråt. Ta med dig en vän om du vill. "
_SUBJECT = "Årsmöte, %FIRST_NAME%"
_BODY = (
    f"# Hej %NAME%!\n\n{_PARAGRAPH * 4}\n\n- kaffe\n- tårta\n\n**[Anmäl dig](https://example.org/?n=%LAST_NAME%)**\n\n"
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """What a message row says of its member."""

    message_id: int
    first_name: str
    last_name: str
    email: str
    domain: str
    created_at: datetime


def domain(number: int) -> str:
    """The mail domain of a member."""
    return f"d{number % DOMAINS + 1}.example"


def address_of(number: int) -> str:
    """Where the exchanger of a member's domain listens: an address of its own, so that nobody takes two for one."""
    return f"127.0.1.{number % DOMAINS + 1}"


def names() -> dict[str, Name]:
    """What a name server says of the domains."""
    found = {domain(number): mail_domain(f"mx.{domain(number)}") for number in range(DOMAINS)}
    return found | {f"mx.{domain(number)}": address(address_of(number)) for number in range(DOMAINS)}


@dataclass(frozen=True, slots=True)
class Register:
    """An association of confirmed members, with an office and a user."""

    association_id: int
    office_id: int
    user_id: int


async def write_register(connection: Connection, members: int, now: datetime) -> Register:
    made = await associations.create(connection, "Björneborgs Båtklubb", now)
    office = await offices.create(connection, made.id, "Kansliet", now)
    email = f"anna@{made.slug}.example"
    user = await users.create(connection, made.id, name="Anna Andersson", email=email, password_hash=None, now=now)
    await add(connection, made.id, [_card(number) for number in range(members)], now)
    await turn_where(connection, card.c.association_id == made.id, AddressStatus.CONFIRMED, now)
    return Register(made.id, office.id, user.id)


async def write_draft(connection: Connection, register: Register, now: datetime) -> Mailing:
    """The mailing, not yet sent."""
    home = (register.association_id, register.office_id, register.user_id)
    return await drafts.create(connection, *home, subject=_SUBJECT, body=_BODY, format=BodyFormat.MARKDOWN, now=now)


def _card(number: int) -> Content:
    address = f"member.{number}@{domain(number)}"
    first, last = _FIRST_NAMES[number % len(_FIRST_NAMES)], _LAST_NAMES[number % len(_LAST_NAMES)]
    return Content(first, f"{last} {number}", address, address)


def render_unsigned(members: int) -> list[Envelope]:
    """The same mails without a signature, for a server that signs them itself."""
    prepared = prepare(make_mailing(), make_identity(()))
    return [_envelope(prepared, number) for number in range(members)]


def make_mailing() -> Mailing:
    """The mailing as it stands once it was sent, for what needs no database."""
    sender = Sender("Björneborgs Båtklubb", "bjorneborgs-batklubb", "Kansliet", "Anna Andersson", "anna@klubb.example")
    return Mailing(
        id=1,
        association_id=1,
        office_id=1,
        user_id=1,
        kind=MailingKind.MAILING,
        subject=_SUBJECT,
        body=_BODY,
        format=BodyFormat.MARKDOWN,
        state=MailingState.SENDING,
        skipped={},
        sender=sender,
        created_at=A_DAY,
        sent_at=A_DAY,
    )


def make_identity(signers: tuple[Signer, ...]) -> Identity:
    """Who sends it."""
    return Identity(
        sender_address="utskick@brevduva.example",
        hostname="mail.brevduva.example",
        bounce_domain=_BOUNCE_DOMAIN,
        base_url="https://post.brevduva.example",
        ring=_RING,
        signers=signers,
    )


def _envelope(prepared: Prepared, number: int) -> Envelope:
    card = _card(number)
    recipient = Recipient(number + 1, card.first_name, card.last_name, card.email, domain(number), A_DAY)
    sender = return_path(_RING, recipient.message_id, _BOUNCE_DOMAIN)
    return Envelope(recipient.message_id, sender, card.email, prepared.render(recipient))
