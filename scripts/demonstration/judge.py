"""Compares what the register says with what it must say, and what was sent with what the receivers' own log holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from config.vocabulary import AddressStatus, MailingKind, MessageStatus
from engine.return_path import KeyRing, Purpose, verify
from engine.sandbox.characters import Fate
from engine.sandbox.people import Member
from engine.sandbox.receiver_log import Receipt


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as our own books have it: how it stands, and everything it has been."""

    message_id: int
    status: MessageStatus
    ever: frozenset[MessageStatus]


@dataclass(frozen=True, slots=True)
class Entry:
    """What our own books say of one member."""

    card: AddressStatus
    mails: Mapping[MailingKind, Sequence[Mail]] = field(default_factory=dict)

    def all_mails(self) -> list[Mail]:
        return [mail for mails in self.mails.values() for mail in mails]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that is not as it must be."""

    about: str
    what: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that is wrong; `uncertain` counts copies sent because an answer was never seen, which is right."""

    mismatches: tuple[Mismatch, ...]
    lost: int
    duplicates: int
    uncertain: int

    @property
    def is_clean(self) -> bool:
        return not (self.mismatches or self.lost or self.duplicates)


def judge(members: Sequence[tuple[Member, Entry | None]], receipts: Sequence[Receipt], ring: KeyRing) -> Judgement:
    """Judge every member and every mail; an Entry of None is a member whom the register does not have."""
    copies = _by_message(receipts, ring)
    mails = [mail for _, entry in members if entry for mail in entry.all_mails()]
    extra = [_extra_copies(copies.get(mail.message_id, ())) for mail in mails]
    return Judgement(
        (
            *_judge_members(members),
            *_judge_doubts(members, copies),
            *_judge_receipts(copies, {mail.message_id for mail in mails}),
        ),
        lost=sum(_is_lost(mail, copies.get(mail.message_id, ())) for mail in mails),
        duplicates=sum(unexplained for unexplained, _ in extra),
        uncertain=sum(explained for _, explained in extra),
    )


def _by_message(receipts: Sequence[Receipt], ring: KeyRing) -> dict[int, list[Receipt]]:
    """The copies of each message in the order they came; -1 has those that carry no token of ours."""
    copies: defaultdict[int, list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        message_id = verify(ring, Purpose.BOUNCE, receipt.token)
        copies[-1 if message_id is None else message_id].append(receipt)
    return dict(copies)


def _is_lost(mail: Mail, copies: Sequence[Receipt]) -> bool:
    """We said that it was sent, and no receiver has answered for it, or none has it."""
    never_answered = MessageStatus.SENT in mail.ever and not any(copy.is_answered for copy in copies)
    return never_answered or (mail.status is MessageStatus.SENT and not any(copy.is_kept for copy in copies))


def _extra_copies(copies: Sequence[Receipt]) -> tuple[int, int]:
    """How many copies a member can read beyond the first: without an excuse, and after an answer that never came."""
    kept = [copy for copy in copies if copy.is_kept]
    extra = max(0, len(kept) - 1)
    explained = min(extra, sum(not copy.is_answered for copy in kept))
    return extra - explained, explained


def _judge_members(members: Sequence[tuple[Member, Entry | None]]) -> Iterator[Mismatch]:
    for member, entry in members:
        if entry is None:
            yield Mismatch(member.email, "card", "a card in the register", "none")
            continue
        expected = member.expected
        about = f"{member.email} ({member.character.name})"
        if entry.card is not expected.card:
            yield Mismatch(about, "card", expected.card, entry.card)
        yield from _judge_fate(
            about, "confirmation", expected.confirmation, entry.mails.get(MailingKind.CONFIRMATION, ())
        )
        yield from _judge_fate(about, "mailing", expected.mailing, entry.mails.get(MailingKind.MAILING, ()))


def _judge_fate(about: str, what: str, fate: Fate | None, mails: Sequence[Mail]) -> Iterator[Mismatch]:
    wanted = [] if fate is None else [str(fate.end)]
    found = [str(mail.status) for mail in mails]
    if found != wanted:
        yield Mismatch(about, what, ", ".join(wanted) or "none", ", ".join(found) or "none")
    elif fate and (missing := fate.on_the_way - mails[0].ever):
        yield Mismatch(about, f"{what} on the way", ", ".join(sorted(missing)), ", ".join(sorted(mails[0].ever)))


def _judge_doubts(
    members: Sequence[tuple[Member, Entry | None]], copies: Mapping[int, Sequence[Receipt]]
) -> Iterator[Mismatch]:
    """No mail is ever in doubt but one whose final dot a receiver left unanswered."""
    for member, entry in members:
        for mail in entry.all_mails() if entry else ():
            is_doubtful = any(not copy.is_answered for copy in copies.get(mail.message_id, ()))
            if MessageStatus.UNKNOWN in mail.ever and not is_doubtful:
                yield Mismatch(member.email, "doubt", "an unanswered final dot", "every copy was answered")


def _judge_receipts(copies: Mapping[int, Sequence[Receipt]], known: set[int]) -> Iterator[Mismatch]:
    for message_id, same in copies.items():
        about = same[0].recipient
        if message_id not in known:
            yield Mismatch(about, "received mail", "a message of ours", same[0].token or "no token")
        elif len({copy.digest for copy in same}) > 1:
            yield Mismatch(about, "copies", "the same, byte for byte", "different")
        if not all(copy.is_tidy for copy in same):
            yield Mismatch(about, "line ends", "CR and LF in pairs, no NUL", "bare ones")
