"""Reads our own books when the story has ended: every card, every message, all they have ever been."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from config.vocabulary import AddressStatus, MailingKind, MessageStatus
from engine.sandbox.people import Member, People
from engine.sandbox.registers import DIALECTS
from engine.store import cards, history, tally
from engine.store.database import Connection
from scripts.demonstration.judge import Entry, Mail

_EVERY = 10_000_000


@dataclass(frozen=True, slots=True)
class Books:
    """What the register and the history hold of every member, and their sums."""

    members: Sequence[tuple[Member, Entry | None]]
    messages: Counter[MessageStatus]
    ever: Counter[MessageStatus]
    cards: Counter[AddressStatus]
    examples: dict[MessageStatus, str]


async def read_books(connection: Connection, people: People, association_ids: Sequence[int]) -> Books:
    """Read everything; members are known again by the number that their association gave them."""
    ever = await tally.ever(connection)
    entries: dict[tuple[int, str], Entry] = {}
    for place, association_id in enumerate(association_ids):
        mails = await _mails_by_card(connection, association_id, ever)
        for card in await cards.every(connection, association_id):
            number = card.fields[DIALECTS[place].head[0]]
            entries[place, number] = Entry(card.status, mails[card.id])
    everything = [mail for entry in entries.values() for mails in entry.mails.values() for mail in mails]
    return Books(
        members=[(member, entries.get((member.association, member.number))) for member in people.members],
        messages=Counter(mail.status for mail in everything),
        ever=Counter(status for mail in everything for status in mail.ever),
        cards=Counter(entry.card for entry in entries.values()),
        examples=await tally.examples(connection),
    )


_Mails = defaultdict[int, dict[MailingKind, list[Mail]]]


async def _mails_by_card(
    connection: Connection, association_id: int, ever: dict[int, frozenset[MessageStatus]]
) -> _Mails:
    found: _Mails = defaultdict(dict)
    for mailing in await history.mailings(connection, association_id, limit=_EVERY):
        for row in await history.messages(connection, mailing.id, limit=_EVERY):
            mail = Mail(row.id, row.status, ever[row.id])
            found[row.card_id].setdefault(mailing.kind, []).append(mail)
    return found
