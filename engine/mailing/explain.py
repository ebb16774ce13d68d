"""Why didn't Ida get it? One member and one mailing, told in order and in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from config.advice import Advice, advice_for
from config.vocabulary import AddressStatus, ConsentKind, EventKind, Fault, MailingState, MessageStatus, Reason
from engine.lifecycle import WAITING
from engine.store import cards, consent, history
from engine.store.cards import Card
from engine.store.consent import Consent
from engine.store.database import Connection
from engine.store.history import EventRow, MailingRow, MessageRow

_CONSENT_TITLES = {
    ConsentKind.REQUESTED: "Medlemmen ombads bekräfta adressen",
    ConsentKind.CONFIRMED: "Medlemmen bekräftade adressen",
    ConsentKind.WITHDRAWN: "Medlemmen bad att slippa utskick",
    ConsentKind.RESET: "Adressen ändrades och behövde bekräftas på nytt",
}

_HEADLINES = {
    MessageStatus.NONE: "Brevet är nedskrivet men inte lagt i kö ännu.",
    MessageStatus.UNKNOWN: "Något oväntat inträffade. Det är högst sannolikt tillfälligt.",
    MessageStatus.QUEUED: "Brevet är i kö och på väg att skickas.",
    MessageStatus.SENT: "Mottagarens server har tagit emot brevet.",
    MessageStatus.OPENED: "Medlemmen har öppnat brevet.",
    MessageStatus.CLICKED: "Medlemmen har klickat på en länk i brevet.",
    MessageStatus.BOUNCED: "Brevet kom inte fram och skickas inte igen.",
    MessageStatus.SPAM: "Medlemmen har markerat brevet som skräppost.",
    MessageStatus.UNSUBSCRIBED: "Medlemmen vill inte få utskick.",
    MessageStatus.BLOCKED: "Brevet skickades aldrig: adressen har sedan tidigare en oönskad status.",
    MessageStatus.INVALID: "Brevet kom inte fram: adressen är felaktig, troligast ett skrivfel.",
    MessageStatus.SOFT_BOUNCED: "Brevet kunde inte tas emot just nu. Det skickas igen under fem dygn.",
    MessageStatus.DEFERRED: "Brevet är fördröjt. Det skickas igen.",
}

_NO_RECIPIENT = {
    AddressStatus.UNCONFIRMED: ("Adressen var inte bekräftad.", "Skicka en bekräftelseförfrågan."),
    AddressStatus.REQUESTED: (
        "Medlemmen hade inte svarat på bekräftelseförfrågan.",
        "Be medlemmen leta efter förfrågan och klicka på länken i den.",
    ),
    AddressStatus.CONFIRMED: (
        "Medlemmen fanns inte i vyn när utskicket gjordes, eller bekräftade adressen först senare.",
        "Nästa utskick till en vy där medlemmen finns går fram som vanligt.",
    ),
}
_NO_RECIPIENT_PROBLEM = (
    "Adressen hade en problemstatus.",
    "Ändra eller ta bort adressen på kortet. En ny adress får bekräftas på nytt.",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: when, what, and in the receiver's own words."""

    at: datetime
    title: str
    detail: str = ""
    words: str = ""
    means: str = ""
    status: MessageStatus | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole answer: who and which mailing, how it stands, what it means, what to do, and every step."""

    card: Card
    mailing: MailingRow
    message: MessageRow | None
    headline: str
    means: str
    advice: str
    steps: tuple[Step, ...]


async def explain(connection: Connection, association_id: int, mailing_id: int, card_id: int) -> Explanation:
    """Tell what became of a mailing for one member, recipient or not. Raises NotFound."""
    card = await cards.get(connection, association_id, card_id)
    mailing = await history.one_mailing(connection, association_id, mailing_id)
    message = await history.message_for_card(connection, mailing_id, card_id)
    consents = await consent.ledger(connection, card_id)
    events = await history.events(connection, message.id) if message else []
    return tell(card, mailing, message, consents, events)


def tell(
    card: Card, mailing: MailingRow, message: MessageRow | None, consents: list[Consent], events: list[EventRow]
) -> Explanation:
    """Put the explanation together; pure."""
    steps = [_consent_step(entry) for entry in consents] + [_event_step(event) for event in events]
    in_order = tuple(sorted(steps, key=lambda step: step.at))
    if message is None:
        headline, advice = _of_no_recipient(card, mailing)
        return Explanation(card, mailing, None, headline, "", advice, in_order)
    known = advice_for(message.reason) or Advice("", "")
    headline = _HEADLINES[message.status] if message.reason != Reason.CANCELLED else "Utskicket avbröts."
    return Explanation(card, mailing, message, headline, known.means, _advice(message, known), in_order)


def _of_no_recipient(card: Card, mailing: MailingRow) -> tuple[str, str]:
    if mailing.state is MailingState.DRAFT:
        return "Utskicket är inte skickat ännu.", ""
    why, advice = _NO_RECIPIENT.get(card.status, _NO_RECIPIENT_PROBLEM)
    return f"Medlemmen var inte mottagare av utskicket. {why}", advice


def _advice(message: MessageRow, known: Advice) -> str:
    """What to do; a mail that has been given up is not tried again, whatever the reason says of waiting."""
    if message.status is MessageStatus.BOUNCED and message.reason in _PASSING:
        return "Försöken är slut för det här utskicket. Kontrollera adressen med medlemmen före nästa."
    return known.advice


_PASSING = frozenset(
    {
        *(Reason.MAILBOX_FULL, Reason.RECIPIENT_BUSY, Reason.NETWORK_ERROR, Reason.SYSTEM_ERROR, Reason.SYSTEM_FULL),
        *(Reason.MAILER_ERROR, Reason.GREYLISTED, Reason.DELAYED, Reason.THROTTLED, Reason.UNDEFINED),
    }
)
"""Reasons whose advice is to wait."""


def _consent_step(entry: Consent) -> Step:
    return Step(entry.at, _CONSENT_TITLES[entry.kind], f"Adressen: {entry.address_key}.")


def _event_step(event: EventRow) -> Step:
    known = advice_for(event.reason)
    return Step(
        at=event.at,
        title=_event_title(event),
        detail=_event_detail(event),
        words=" ".join(str(part) for part in (event.code or "", event.enhanced, event.text) if part),
        means=known.means if known else "",
        status=event.new,
    )


def _event_title(event: EventRow) -> str:
    match event.kind:
        case EventKind.ATTEMPT:
            return f"Försök {event.attempt}: {event.new.label.lower()}"
        case EventKind.REPORT:
            return f"Besked kom tillbaka: {event.new.label.lower()}"
        case EventKind.NOTE:
            return "Notering"
    if event.reason == Reason.CANCELLED:
        return "Utskicket avbröts"
    return (
        "Lades i kön" if event.old is MessageStatus.NONE and event.new in WAITING else f"Blev {event.new.label.lower()}"
    )


def _event_detail(event: EventRow) -> str:
    """With which server we spoke, how the line was protected, and whose fault it was."""
    line = f"krypterat ({event.tls})" if event.tls else "okrypterat"
    spoke = f"Samtal med {event.host}, {line}." if event.host else ""
    guilty = event.fault in set(Fault) and event.fault not in (Fault.NONE, Fault.DELAY, Fault.UNKNOWN)
    blame = f"Orsaken ligger hos: {Fault(event.fault).label.lower()}." if guilty else ""
    return " ".join(part for part in (spoke, blame) if part)
