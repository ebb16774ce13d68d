"""The nouns of the product and every status they can have, said once; imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """A name used alike in code, column, JSON and log, with its Swedish label and one sentence of meaning."""

    label: str
    sentence: str

    def __new__(cls, name: str, label: str = "", sentence: str = "") -> Self:
        word = str.__new__(cls, name)
        word._value_ = name
        word.label = label
        word.sentence = sentence
        return word


class MessageStatus(Word):
    """What became of one mail to one member (MISSION, item 5)."""

    NONE = "none", "Ingen", "Written down, not yet in the queue."
    UNKNOWN = "unknown", "Okänd", "Something unexpected happened; most likely passing."
    QUEUED = "queued", "I kö", "Waiting to be sent."
    SENT = "sent", "Skickat", "The receiver's mail server accepted it."
    OPENED = "opened", "Öppnat", "The member opened it (only where tracking is on)."
    CLICKED = "clicked", "Klickat", "The member followed a link (only where tracking is on)."
    BOUNCED = "bounced", "Studsat", "It could not be delivered."
    SPAM = "spam", "Spam", "The member marked it as spam."
    UNSUBSCRIBED = "unsubscribed", "Vill inte få utskick", "The member asked for no more mailings."
    BLOCKED = "blocked", "Blockerat", "Not attempted: the address already has an unwanted status."
    INVALID = "invalid", "Felaktig", "The address does not exist; most likely a typing error."
    SOFT_BOUNCED = "soft_bounced", "Tillfälligt studsat", "Refused for now; tried again for five days, then bounced."
    DEFERRED = "deferred", "Uppskjuten", "Delayed or postponed; may change."


class AddressStatus(Word):
    """What a card says of its e-mail address (MISSION, item 6)."""

    UNCONFIRMED = "unconfirmed", "Obekräftad", "Nobody has been asked yet."
    REQUESTED = "requested", "Bekräftelse begärd", "A confirmation request has been sent."
    CONFIRMED = "confirmed", "Bekräftad", "The member confirmed; mailings may be sent."
    PROBLEM_BOUNCED = "problem_bounced", "Problem (studsad)", "A mail to it bounced."
    PROBLEM_SPAM = "problem_spam", "Problem (spam)", "A mail to it was marked as spam."
    PROBLEM_UNSUBSCRIBED = "problem_unsubscribed", "Problem (vill inte få utskick)", "The member wants no mailings."
    PROBLEM_BLOCKED = "problem_blocked", "Problem (blockerad)", "Known as unwanted before it was tried."
    PROBLEM_INVALID = "problem_invalid", "Problem (felaktig)", "The address does not exist."

    @property
    def is_problem(self) -> bool:
        return self.value.startswith("problem_")


class Fault(Word):
    """Whose fault a refusal is; it decides whether the member's address may be touched."""

    RECIPIENT_ADDRESS = "recipient_address", "Adressen", "The address does not exist or moved away."
    RECIPIENT_MAILBOX = "recipient_mailbox", "Brevlådan", "The mailbox exists but takes no mail."
    REMOTE = "remote", "Mottagarens server", "Trouble at the receiver's side or on the way there."
    SENDER = "sender", "Vår sändning", "Our reputation, authentication, rate or set-up was refused."
    CONTENT = "content", "Innehållet", "What the mail says was refused."
    COMPLAINT = "complaint", "Klagomål", "The member complained."
    OPTOUT = "optout", "Avregistrering", "The member asked for no more."
    DELAY = "delay", "Fördröjning", "Only late; nobody's fault."
    OURS = "ours", "Vår", "A report about our own domain."
    NONE = "none", "Inget", "Nothing is wrong."
    UNKNOWN = "unknown", "Okänt", "The words do not tell."


class Action(Word):
    """What a verdict does to the member's address."""

    SUPPRESS = "suppress", "Spärra", "Nothing more is sent to the address."
    COUNT = "count", "Räkna", "A strike is counted."
    NONE = "none", "Inget", "The address is left alone."


class VerdictStatus(StrEnum):
    """What one answer or report makes of a message; `delivered` leaves a message `sent`, `none` changes nothing."""

    NONE = "none"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    DEFERRED = "deferred"
    SOFT_BOUNCED = "soft_bounced"
    BOUNCED = "bounced"
    INVALID = "invalid"
    BLOCKED = "blocked"
    SPAM = "spam"
    UNSUBSCRIBED = "unsubscribed"

    @property
    def message_status(self) -> MessageStatus | None:
        """The status a message moves to, or None where the verdict says nothing of the message."""
        if self is VerdictStatus.NONE:
            return None
        return MessageStatus.SENT if self is VerdictStatus.DELIVERED else MessageStatus(self.value)


class Stage(StrEnum):
    """The phase of an SMTP conversation in which an answer fell (RFC 5321 3)."""

    CONNECT = "connect"
    BANNER = "banner"
    HELO = "helo"
    STARTTLS = "starttls"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"


class EventKind(Word):
    """What sort of line a message's history has."""

    MOVE = "move", "Ändring", "Moved by the system or by a person."
    ATTEMPT = "attempt", "Försök", "An attempt to deliver was made."
    REPORT = "report", "Rapport", "A report about it came back."
    NOTE = "note", "Notering", "Something to know; the status stays."


class ServiceRole(Word):
    """What a process of the service does."""

    WEB = "web", "Webb", "Serves the pages and the API."
    SEND = "send", "Sändare", "Sends what is due."
    RECEIVE = "receive", "Mottagare", "Takes in what comes back."


class ReportKind(Word):
    """What sort of mail came back to the listener."""

    DELIVERY_REPORT = "delivery_report", "Leveransrapport", "Machine-readable notice (RFC 3464, 6533)."
    PLAIN_BOUNCE = "plain_bounce", "Studs i klartext", "A bounce written for people."
    FEEDBACK_REPORT = "feedback_report", "Klagomålsrapport", "A complaint or opt-out (RFC 5965, 9477)."
    UNSUBSCRIBE = "unsubscribe", "Avregistrering", "A mail that asks for no more mailings."
    AUTO_REPLY = "auto_reply", "Autosvar", "Vacation notice or other automatic answer (RFC 3834)."
    CHALLENGE = "challenge", "Kontrollfråga", "A challenge that asks the sender to prove being human."
    DMARC_REPORT = "dmarc_report", "DMARC-rapport", "Aggregate report about our domain (RFC 7489, 9990)."
    TLS_REPORT = "tls_report", "TLS-rapport", "TLS report about our domain (RFC 8460)."
    READ_RECEIPT = "read_receipt", "Läskvitto", "Disposition notice (RFC 8098)."
    PERSON = "person", "Brev", "Ordinary mail from a person."
    UNPARSEABLE = "unparseable", "Oläslig", "Could not be read within the limits; kept for the operator."


@dataclass(frozen=True, slots=True)
class EnhancedStatus:
    """class.subject.detail of RFC 3463, as in `5.1.1`."""

    klass: int
    subject: int
    detail: int

    def __str__(self) -> str:
        return f"{self.klass}.{self.subject}.{self.detail}"


@dataclass(frozen=True, slots=True)
class Reply:
    """One SMTP answer, whole: code (0 where none was given), enhanced status, every line of text joined by a space."""

    code: int
    enhanced: EnhancedStatus | None = None
    text: str = ""

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 400

    def __str__(self) -> str:
        return " ".join([str(part) for part in (self.code, self.enhanced, self.text) if part])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer or report means: for the message, for the address, whose fault, and the rule that said so."""

    status: VerdictStatus
    reason: Reason
    fault: Fault
    action: Action
    rule: str = ""


class Reason(Word):
    """Why, in one word."""

    ACCEPTED = "accepted", "Mottaget", "The receiver took the mail."
    USER_UNKNOWN = "user_unknown", "Okänd mottagare", "No such mailbox at the domain."
    HOST_UNKNOWN = "host_unknown", "Okänd domän", "The domain does not exist."
    NULL_MX = "null_mx", "Domänen tar inte emot e-post", "The domain says that it takes no mail (RFC 7505)."
    BAD_ADDRESS = "bad_address", "Felskriven adress", "The address is not well formed."
    MOVED = "moved", "Flyttad", "The mailbox moved away without forwarding."
    DISABLED = "disabled", "Avstängd brevlåda", "The mailbox is disabled, suspended or inactive."
    MEMBERS_ONLY = "members_only", "Stängd lista", "Only certain senders may write to the mailbox."
    FILTERED = "filtered", "Filtrerad", "Refused by the receiver's filter, the words do not say why."
    MAILBOX_FULL = "mailbox_full", "Full brevlåda", "The mailbox is full."
    RECIPIENT_BUSY = "recipient_busy", "Mottagaren överbelastad", "The mailbox gets more mail than it may right now."
    EXPIRED = "expired", "Gav upp", "The remote server gave up trying."
    NETWORK_ERROR = "network_error", "Nätverksfel", "No connection, or it broke."
    SYSTEM_ERROR = "system_error", "Systemfel", "Trouble in the receiver's server."
    SYSTEM_FULL = "system_full", "Full server", "The receiver's server has no room."
    MAILER_ERROR = "mailer_error", "Programfel", "A program at the receiver failed."
    RELAYING_DENIED = "relaying_denied", "Vidarebefordran nekad", "The server does not take mail for that domain."
    GREYLISTED = "greylisted", "Grålistad", "Asked to come back later, as every stranger."
    DELAYED = "delayed", "Fördröjd", "A server on the way is still trying."
    THROTTLED = "throttled", "Strypt", "Too much or too fast for the moment."
    BLOCKED = "blocked", "Blockerad avsändare", "Our address or name is refused."
    BAD_REPUTATION = "bad_reputation", "Dåligt rykte", "Our reputation is too low."
    MISSING_PTR = "missing_ptr", "PTR saknas", "Our address has no matching name in DNS."
    AUTH_FAILURE = "auth_failure", "SPF, DKIM eller DMARC", "Our authentication failed."
    SENDER_REJECTED = "sender_rejected", "Avsändaren nekad", "Our sender address is refused."
    POLICY = "policy", "Policy", "Refused by a policy about the sender."
    SECURITY = "security", "Säkerhet", "Refused for security reasons."
    TOO_MANY_CONNECTIONS = "too_many_connections", "För många anslutningar", "Too many connections from us."
    RATE_LIMITED = "rate_limited", "För många brev", "More mail than the receiver allows."
    TLS_REQUIRED = "tls_required", "TLS krävs", "An encrypted connection is required."
    SPAM_CONTENT = "spam_content", "Skräppostinnehåll", "The content looked like spam."
    VIRUS = "virus", "Virus", "The content looked like a virus."
    MALFORMED = "malformed", "Felformat", "The mail breaks the standard."
    TOO_BIG = "too_big", "För stort", "The mail is too big."
    CONTENT_POLICY = "content_policy", "Innehållspolicy", "The content breaks a policy."
    REMOTE_SUPPRESSED = "remote_suppressed", "Spärrad hos leverantören", "The remote provider suppresses the address."
    COMPLAINT = "complaint", "Klagomål", "The member marked the mail as spam."
    OPT_OUT = "opt_out", "Avregistrering", "The member asked for no more."
    OURS = "ours", "Om vår domän", "A report about our own domain."
    AUTO_REPLY = "auto_reply", "Autosvar", "An automatic answer."
    PERSONAL = "personal", "Brev", "Ordinary mail."
    DELIVERED = "delivered", "Levererat", "A notice of success."
    KNOWN_BAD = "known_bad", "Spärrad adress", "Our own register already knows the address as unwanted."
    ENQUEUED = "enqueued", "Lagt i kö", "Written into the queue."
    CANCELLED = "cancelled", "Avbrutet", "The mailing was cancelled before the mail was sent."
    UNCERTAIN = "uncertain", "Svaret sågs aldrig", "The answer to the final dot was never seen."
    FAILED = "failed", "Gick inte fram", "A report that it failed for good, without a reason."
    UNDEFINED = "undefined", "Oklart", "The words do not tell."


@dataclass(frozen=True, slots=True)
class Tlsa:
    """One TLSA record: what a certificate of the host must match (RFC 6698 2.1)."""

    usage: int
    selector: int
    matching: int
    data: bytes


@dataclass(frozen=True, slots=True)
class TlsDemand:
    """What the receiver's domain demands of a connection; by default nothing, and TLS is used where it is offered.

    `policy` is "", "encrypt" (whatever the certificate), "mta-sts" (it must be trusted and bear the host's name, RFC
    8461 4.2) or "dane" (it must match one of `tlsa`, and bear one of `names` where that record names an authority, RFC
    7672 3).
    """

    policy: str = ""
    names: tuple[str, ...] = ()
    tlsa: tuple[Tlsa, ...] = ()


class SiteReaction(Word):
    """What a receiver's answer asks of how we send to it, beyond the one mail."""

    NONE = "none", "Inget", "Go on as before."
    SLOW_DOWN = "slow_down", "Sakta ner", "The receiver is busy or wants a slower pace for a while."
    TOO_MANY_CONNECTIONS = "too_many_connections", "Färre anslutningar", "Fewer connections at once."
    RATE_LIMITED = "rate_limited", "Färre brev", "Fewer mails in the hour."
    BLOCKED = "blocked", "Blockerad", "Our address or domain is refused altogether."


@dataclass(frozen=True, slots=True)
class Host:
    """One mail exchanger to try: name and its addresses, in order, and what TLS to its port must fulfil."""

    name: str
    addresses: tuple[str, ...]
    port: int = 25
    tls: TlsDemand = TlsDemand()


@dataclass(frozen=True, slots=True)
class Route:
    """Where mail for a domain goes: the site (operator of its MXs) and the hosts in the order to try (RFC 5321 5.1)."""

    domain: str
    site: str
    hosts: tuple[Host, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one site is given: connections at once, messages a connection, messages a minute (None: no limit)."""

    connections: int = 10
    messages_per_connection: int = 100
    messages_per_minute: int | None = None


class Role(Word):
    """What a person who logs in may do."""

    OPERATOR = "operator", "Operatör", "Keeps the installation and sees every association."
    SECRETARY = "secretary", "Sekreterare", "Keeps one association's register and sends its mailings."


class MailingState(Word):
    """Where a mailing stands; `finished` is not kept but seen in its messages: none of them waits any more."""

    DRAFT = "draft", "Utkast", "Being written; nothing has been queued."
    SENDING = "sending", "Skickas", "Queued; the senders work on it."
    PAUSED = "paused", "Pausat", "Nothing more of it leaves until it is resumed."
    CANCELLED = "cancelled", "Avbrutet", "What had not left never will."
    FINISHED = "finished", "Klart", "Every message has come to an end; a report may still change one."


class MailingKind(Word):
    """What a mailing is for."""

    MAILING = "mailing", "Medlemsutskick", "Words of the association to its confirmed members."
    CONFIRMATION = "confirmation", "Bekräftelseförfrågan", "Asks unconfirmed members to confirm their address."


class BodyFormat(Word):
    """How the body of a mailing is written."""

    MARKDOWN = "markdown", "Markdown", "Headings, lists, links and emphasis by plain signs."
    PLAIN = "plain", "Vanlig text", "Shown as it is written."


class ConsentKind(Word):
    """What happened to a member's consent (append-only ledger)."""

    REQUESTED = "requested", "Begärd", "The member was asked."
    CONFIRMED = "confirmed", "Bekräftad", "The member confirmed."
    WITHDRAWN = "withdrawn", "Återtagen", "The member asked for no more."
    RESET = "reset", "Nollställd", "The address changed, so that it has to be confirmed anew."


class Operator(Word):
    """How a filter compares a column with a value; letters in lower and upper case are alike."""

    CONTAINS = "contains", "innehåller", "The value stands somewhere in it."
    EQUALS = "equals", "är", "The whole text is the value."
    IS_NOT = "is_not", "är inte", "The whole text is something else."
    STARTS_WITH = "starts_with", "börjar med", "The text begins with the value."
    EMPTY = "empty", "är tom", "Nothing is filled in."
    NOT_EMPTY = "not_empty", "är ifylld", "Something is filled in."
    BEFORE = "before", "före", "Comes before the value, as dates (2026-01-31) and names are ordered."
    AFTER = "after", "efter", "Comes after the value, as dates (2026-01-31) and names are ordered."


class ImportOutcome(Word):
    """What became of one row of an imported register."""

    ADDED = "added", "Tillagt", "A new card."
    UPDATED = "updated", "Uppdaterat", "The card was there and something on it changed."
    UNCHANGED = "unchanged", "Oförändrat", "The card was there and says the same."
    TWIN = "twin", "Dubblett", "The same person stands in an earlier row; the two were made one card."


class FindingKind(Word):
    """What a person should look at in an imported row; the row was taken all the same."""

    BAD_ADDRESS = (
        "bad_address",
        "Felaktig adress",
        "The address is not well formed; kept as typed, no mail can go to it.",
    )
    SUSPECT = "suspect", "Troligt skrivfel", "The address is probably a typing error."
    NO_ADDRESS = "no_address", "Ingen adress", "No address is given."
    SHARED_ADDRESS = "shared_address", "Delad adress", "Another person on the register has the same address."
    RENAMED = "renamed", "Nytt namn", "The card with this address had another name before."
    REPEATED = "repeated", "Upprepad rad", "The same name and address stand in an earlier row."
    SHORTENED = "shortened", "Avkortad", "The text was too long and was cut."
    EXTRA_CELLS = (
        "extra_cells",
        "För många fält",
        "The row has more cells than the head; what stood there was put in the notes.",
    )


class ConfirmOutcome(Word):
    """What became of a member's click on a confirmation link."""

    CONFIRMED = "confirmed", "Bekräftad", "The address is confirmed now."
    ALREADY = "already", "Redan bekräftad", "The address was confirmed before."
    CHANGED = "changed", "Adressen är ändrad", "The card has another address now; the link is void."
    PROBLEM = "problem", "Problem", "The address has an unwanted status that a link cannot lift."
