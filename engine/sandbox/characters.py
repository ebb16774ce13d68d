"""Every kind of mailbox in the box, as one table: what it does, and what the register must say of it in the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from config.vocabulary import AddressStatus as Card
from config.vocabulary import MessageStatus as Mail
from engine.sandbox import sites
from engine.sandbox.habits import Deed, Drop, Habit, accepts, refuses


@dataclass(frozen=True, slots=True)
class Fate:
    """How a message ends, and what it must have been on the way."""

    end: Mail
    on_the_way: frozenset[Mail] = frozenset()


@dataclass(frozen=True, slots=True)
class Expected:
    """The right end for one card: its confirmation mail, its mailing (None: none is ever written), its own status."""

    confirmation: Fate | None
    mailing: Fate | None
    card: Card


@dataclass(frozen=True, slots=True)
class Character:
    """One kind of mailbox. It turns from its first habit to the next on the day of the first mailing.

    `elsewhere` is what is expected of a card with the same address in the register of an association that asks and
    mails later; None where the address stands in one register only.
    """

    name: str
    sentence: str
    expected: Expected
    first: Habit
    then: Habit
    domains: tuple[str, ...] = sites.ORDINARY_DOMAINS
    elsewhere: Expected | None = None
    weight: float = 0.01
    is_malformed: bool = False  # the address is written so that no mail can go to it


_MINUTES = timedelta(minutes=1)
_HOURS = timedelta(hours=1)
_DAYS = timedelta(days=1)

_SENT = Fate(Mail.SENT)
_SENT_LATE = Fate(Mail.SENT, frozenset({Mail.DEFERRED}))
_SENT_AT_LAST = Fate(Mail.SENT, frozenset({Mail.SOFT_BOUNCED}))
_SENT_IN_THE_END = Fate(Mail.SENT, frozenset({Mail.UNKNOWN}))
_GIVEN_UP = Fate(Mail.BOUNCED, frozenset({Mail.SOFT_BOUNCED}))
_GIVEN_UP_UNTRIED = Fate(Mail.BOUNCED)
_BOUNCED_LATER = Fate(Mail.BOUNCED, frozenset({Mail.SENT}))
_INVALID = Fate(Mail.INVALID)
_INVALID_LATER = Fate(Mail.INVALID, frozenset({Mail.SENT}))
_SPAM = Fate(Mail.SPAM, frozenset({Mail.SENT}))
_UNSUBSCRIBED = Fate(Mail.UNSUBSCRIBED, frozenset({Mail.SENT}))
_BLOCKED = Fate(Mail.BLOCKED)

_FINE = Expected(_SENT, _SENT, Card.CONFIRMED)
_NEVER_VALID = Expected(_INVALID, None, Card.PROBLEM_INVALID)
_KNOWN_BEFORE_MAILING = Expected(_SENT, _BLOCKED, Card.PROBLEM_BLOCKED)
_KNOWN_BEFORE_ASKING = Expected(_BLOCKED, None, Card.PROBLEM_BLOCKED)

_CONFIRM = (Deed.CONFIRM, 5 * _HOURS)
_CONFIRMS = accepts(_CONFIRM)
_ACCEPTS = accepts()

_UNKNOWN = refuses("550 5.1.1 <{recipient}>: Recipient address rejected: User unknown in virtual mailbox table")
_CLOSED = refuses("550 5.2.1 The email account that you tried to reach is disabled")
_FULL = "452 4.2.2 <{recipient}>: The recipient's mailbox is full and can't accept messages now"
_GREYLISTED = "451 4.7.1 <{recipient}>: Recipient address rejected: Greylisted, please try again in 5 minutes"
_BLOCKLISTED = "550 5.7.1 Service unavailable; client host [127.0.0.1] blocked using zen.murpost.example"

CHARACTERS: tuple[Character, ...] = (
    Character("reads", "takes every mail, and confirms", _FINE, _CONFIRMS, _ACCEPTS, elsewhere=_FINE, weight=0.52),
    Character(
        "greylists", "asks every stranger to come back in five minutes",
        Expected(_SENT_LATE, _SENT_LATE, Card.CONFIRMED),
        refuses(_GREYLISTED, 4 * _MINUTES, _CONFIRM), refuses(_GREYLISTED, 4 * _MINUTES),
        sites.KOMMUNPOST.domains, weight=0.05,
    ),
    Character(
        "is_away", "answers with a vacation notice, and confirms at home again",
        _FINE, accepts((Deed.AUTO_REPLY, 1 * _MINUTES), (Deed.CONFIRM, 3 * _DAYS)),
        accepts((Deed.AUTO_REPLY, 1 * _MINUTES)), weight=0.02,
    ),
    Character(
        "never_confirms", "takes the request and forgets it",
        Expected(_SENT, None, Card.REQUESTED), _ACCEPTS, _ACCEPTS, weight=0.06,
    ),
    Character(
        "is_scanned", "has a scanner that fetches every link, and never confirms itself",
        Expected(_SENT, None, Card.REQUESTED), accepts((Deed.SCAN, 1 * _MINUTES)), _ACCEPTS, weight=0.02,
    ),
    Character(
        "confirms_late", "confirms when the mailing has already gone",
        Expected(_SENT, None, Card.CONFIRMED), accepts((Deed.CONFIRM, 11 * _DAYS)), _ACCEPTS, weight=0.02,
    ),
    Character(
        "joins_late", "comes into the register after everyone was asked",
        Expected(None, None, Card.UNCONFIRMED), _ACCEPTS, _ACCEPTS, weight=0.02,
    ),
    Character(
        "is_unknown", "does not exist, and its server says so",
        _NEVER_VALID, _UNKNOWN, _UNKNOWN, elsewhere=_KNOWN_BEFORE_ASKING, weight=0.03,
    ),
    Character(
        "is_deleted", "confirms, and is deleted before the mailing",
        Expected(_SENT, _INVALID, Card.PROBLEM_INVALID), _CONFIRMS, _UNKNOWN,
        elsewhere=_KNOWN_BEFORE_MAILING, weight=0.02,
    ),
    Character(
        "is_closed", "confirms, and is closed before the mailing",
        Expected(_SENT, Fate(Mail.BOUNCED), Card.PROBLEM_BOUNCED), _CONFIRMS, _CLOSED,
        elsewhere=_KNOWN_BEFORE_MAILING,
    ),
    Character(
        "is_full_for_two_days", "has a full mailbox, and room again after two days",
        Expected(_SENT, _SENT_AT_LAST, Card.CONFIRMED), _CONFIRMS, refuses(_FULL, 2 * _DAYS), weight=0.02,
    ),
    Character(
        "is_full_for_ever", "has a full mailbox that nobody empties",
        Expected(_SENT, _GIVEN_UP, Card.PROBLEM_BOUNCED), _CONFIRMS, refuses(_FULL), weight=0.015,
    ),
    Character(
        "bounces_later_as_unknown", "takes the mail, and reports later that there is no such user",
        Expected(_SENT, _INVALID_LATER, Card.PROBLEM_INVALID),
        _CONFIRMS, accepts((Deed.BOUNCE_UNKNOWN, 2 * _MINUTES)), sites.RELAPOST.domains,
        elsewhere=_KNOWN_BEFORE_MAILING,
    ),
    Character(
        "bounces_later_as_closed", "takes the mail, and reports later that the account is closed",
        Expected(_SENT, _BOUNCED_LATER, Card.PROBLEM_BOUNCED),
        _CONFIRMS, accepts((Deed.BOUNCE_DISABLED, 20 * _MINUTES)), sites.RELAPOST.domains,
    ),
    Character(
        "bounces_later_as_full", "takes the mail every time, and reports later that the mailbox is full",
        Expected(_SENT, Fate(Mail.BOUNCED, frozenset({Mail.SENT, Mail.SOFT_BOUNCED})), Card.PROBLEM_BOUNCED),
        _CONFIRMS, accepts((Deed.BOUNCE_FULL, 10 * _MINUTES)), sites.RELAPOST.domains,
    ),
    Character(
        "bounces_in_prose", "takes the mail, and writes back in words for people that there is no such user",
        Expected(_SENT, _INVALID_LATER, Card.PROBLEM_INVALID),
        _CONFIRMS, accepts((Deed.BOUNCE_PROSE, 5 * _MINUTES)), sites.RELAPOST.domains,
    ),
    Character(
        "is_late", "takes the mail, says after four hours that it is delayed, and delivers it",
        Expected(_SENT, _SENT_LATE, Card.CONFIRMED),
        _CONFIRMS, accepts((Deed.DELAY_NOTICE, 4 * _HOURS)), sites.RELAPOST.domains,
    ),
    Character(
        "complains", "takes the mail, and calls it spam",
        Expected(_SENT, _SPAM, Card.PROBLEM_SPAM), _CONFIRMS, accepts((Deed.COMPLAIN, 6 * _HOURS)),
        elsewhere=_KNOWN_BEFORE_MAILING, weight=0.015,
    ),
    Character(
        "unsubscribes", "takes the mail, and presses unsubscribe in the mail program",
        Expected(_SENT, _UNSUBSCRIBED, Card.PROBLEM_UNSUBSCRIBED), _CONFIRMS, accepts((Deed.UNSUBSCRIBE, 7 * _HOURS)),
        elsewhere=_KNOWN_BEFORE_MAILING, weight=0.015,
    ),
    Character(
        "unsubscribes_by_mail", "takes the mail, and mails the unsubscribe address",
        Expected(_SENT, _UNSUBSCRIBED, Card.PROBLEM_UNSUBSCRIBED),
        _CONFIRMS, accepts((Deed.UNSUBSCRIBE_BY_MAIL, 8 * _HOURS)),
    ),
    Character(
        "is_behind_a_blocklist", "lives at a site that comes to refuse our address: our fault, never the member's",
        Expected(_SENT, _GIVEN_UP_UNTRIED, Card.CONFIRMED), _CONFIRMS, refuses(_BLOCKLISTED),
        sites.MURPOST.domains, weight=0.03,
    ),
    Character(
        "is_rationed", "lives at a site that takes only so many mails an hour",
        _FINE, _CONFIRMS, _ACCEPTS, sites.STORPOST.domains, weight=0.05,
    ),
    Character(
        "is_behind_silence", "lives at a site that comes to take connections and never greets",
        Expected(_SENT, _GIVEN_UP_UNTRIED, Card.PROBLEM_BOUNCED), _CONFIRMS, _ACCEPTS,
        sites.TYSTPOST.domains, weight=0.02,
    ),
    Character(
        "drops_and_keeps", "breaks the connection after the final dot, having kept the mail",
        Expected(_SENT, _SENT_IN_THE_END, Card.CONFIRMED), _CONFIRMS, Habit(drops=Drop.KEPT), sites.TAPPNAT.domains,
    ),
    Character(
        "drops_and_loses", "breaks the connection after the final dot, having lost the mail",
        Expected(_SENT, _SENT_IN_THE_END, Card.CONFIRMED), _CONFIRMS, Habit(drops=Drop.LOST), sites.TAPPNAT.domains,
    ),
    Character(
        "has_no_domain", "has an address at a domain that does not exist",
        _NEVER_VALID, _ACCEPTS, _ACCEPTS, (sites.NO_SUCH_DOMAIN,),
    ),
    Character(
        "has_null_mx", "has an address at a domain that says it takes no mail",
        _NEVER_VALID, _ACCEPTS, _ACCEPTS, (sites.NULL_MX,),
    ),
    Character(
        "is_malformed", "has something on the card that is no address at all",
        _NEVER_VALID, _ACCEPTS, _ACCEPTS, weight=0.005, is_malformed=True,
    ),
    Character(
        "is_mistyped", "stands in the register with a typing error, which the secretary corrects in the end",
        Expected(_INVALID, None, Card.UNCONFIRMED), _ACCEPTS, _ACCEPTS, (sites.MISTYPED_DOMAIN,),
    ),
)  # fmt: skip

BY_NAME = {character.name: character for character in CHARACTERS}
