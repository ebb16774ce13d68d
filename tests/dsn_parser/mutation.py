"""Mails broken in the ways that transport, gateways and attackers break them, repeatable by seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

SNIPPETS = (
    *(
        b"\r",
        b"\n",
        b"\r\n\r\n",
        b"\0",
        b"\t",
        b" " * 300,
        b"--",
        b"=",
        b";",
        b'"' * 9,
        b"<" * 60,
        b"@" * 60,
        b"<a " * 40,
    ),
    *(b"\x1b$B", b"\xff\xfe", b"\xf0\x9f\x90\x88", b"=?utf-8?b?", b"\\x{110000}", b"+40", b"(a)=", b"a@b.example "),
    *(b"Content-Type: multipart/mixed; boundary=", b"Content-Transfer-Encoding: base64\n", b"Received: from x\n"),
    *(b"Final-Recipient: rfc822;", b"550 5.1.1 ", b'{"notificationType":', b"<!DOCTYPE x>"),
    b"\n\nFrom x Mon Mar  3 10:00:00 2025\nA: b\n\n",
)

Change = Callable[[bytes, random.Random], bytes]


def mutated(mails: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield so many mails, each made from one of the given by one to six changes."""
    chance = random.Random(seed)
    for _ in range(count):
        mail = chance.choice(mails)
        if chance.random() < 0.1:
            mail = _splice(mail, chance.choice(mails), chance)
        for _ in range(chance.randint(1, 6)):
            mail = chance.choice(CHANGES)(mail, chance)
        yield mail


def _splice(first: bytes, second: bytes, chance: random.Random) -> bytes:
    return first[: _place(first, chance)] + second[_place(second, chance) :]


def _place(mail: bytes, chance: random.Random) -> int:
    return chance.randint(0, len(mail))


def _flip(mail: bytes, chance: random.Random) -> bytes:
    at = _place(mail, chance)
    return mail[:at] + bytes([chance.randrange(256)]) + mail[at + 1 :]


def _insert(mail: bytes, chance: random.Random) -> bytes:
    at = _place(mail, chance)
    return mail[:at] + chance.choice(SNIPPETS) * chance.choice((1, 1, 1, 8)) + mail[at:]


def _drop(mail: bytes, chance: random.Random) -> bytes:
    at = _place(mail, chance)
    return mail[:at] + mail[at + chance.randint(1, 200) :]


def _repeat(mail: bytes, chance: random.Random) -> bytes:
    at = _place(mail, chance)
    return mail[:at] + mail[at : at + chance.randint(1, 80)] * chance.choice((2, 3, 50)) + mail[at:]


def _truncate(mail: bytes, chance: random.Random) -> bytes:
    return mail[: _place(mail, chance)]


def _shuffle_lines(mail: bytes, chance: random.Random) -> bytes:
    lines = mail.split(b"\n")
    at = chance.randrange(len(lines))
    few = lines[at : at + 6]
    chance.shuffle(few)
    return b"\n".join(lines[:at] + few + lines[at + 6 :])


CHANGES: tuple[Change, ...] = (_flip, _insert, _insert, _drop, _repeat, _truncate, _shuffle_lines)
