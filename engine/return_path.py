"""Signed tokens: the return path of a mail (VERP) and the links in it, each good for one purpose and one message.

A token is `<message>.<mac>`: the message number in lower-case base32 without padding, and the beginning of an
HMAC-SHA256 over purpose and number, five bits of a byte a letter. 80 bits guard a return path (it must fit a local
part, RFC 5321 4.5.3.1.1), 130 bits a link that a browser carries.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_LETTER_OF_BYTE = bytes(ord(_ALPHABET[byte % 32]) for byte in range(256))
_LONGEST_NUMBER = 13
_BLOCK = 64

ERASED = "erased:"
"""What stands for an erased address begins so."""


class Purpose(StrEnum):
    """What a token is good for; the letter stands in front of it in an address."""

    BOUNCE = "b"
    UNSUBSCRIBE = "u"
    CONFIRM = "c"


_MAC_LENGTH = {Purpose.BOUNCE: 16, Purpose.UNSUBSCRIBE: 26, Purpose.CONFIRM: 26}


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Secrets newest first: the first signs, all of them verify, so that keys can be changed without losing mail."""

    keys: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if not self.keys or any(len(key) < 16 for key in self.keys):
            raise ValueError("a key ring needs at least one key of 16 bytes or more")


def sign(ring: KeyRing, purpose: Purpose, message_id: int) -> str:
    """Return the token of a message for one purpose."""
    number = _to_base32(message_id)
    return f"{number}.{_mac(ring.keys[0], purpose, number)}"


def verify(ring: KeyRing, purpose: Purpose, token: str) -> int | None:
    """Return the message number a token was signed for, or None where it is not ours; never raises."""
    number, dot, mac = token.lower().partition(".")
    if not token.isascii() or not dot or not 0 < len(number) <= _LONGEST_NUMBER or not set(number) <= set(_ALPHABET):
        return None
    good = [hmac.compare_digest(mac, _mac(key, purpose, number)) for key in ring.keys]
    return _from_base32(number) if any(good) else None


def return_path(ring: KeyRing, message_id: int, domain: str) -> str:
    """Return the envelope sender of a message: `b+<message>.<mac>@<bounce domain>`, at most 64 characters before @."""
    return return_path_of(sign(ring, Purpose.BOUNCE, message_id), domain)


def return_path_of(token: str, domain: str) -> str:
    """Return the envelope sender that bears a message's BOUNCE token."""
    return f"{Purpose.BOUNCE}+{token}@{domain}"


def message_of_address(ring: KeyRing, address: str, domain: str) -> tuple[Purpose, int] | None:
    """Return purpose and message of a signed address at our bounce domain, or None where it is not one."""
    local, _, host = address.strip("<>").rpartition("@")
    letter, plus, token = local.partition("+")
    if not plus or host.lower() != domain.lower() or letter.lower() not in (Purpose.BOUNCE, Purpose.UNSUBSCRIBE):
        return None
    purpose = Purpose(letter.lower())
    message_id = verify(ring, purpose, token)
    return None if message_id is None else (purpose, message_id)


def _mac(key: bytes, purpose: Purpose, number: str) -> str:
    """Letters of the HMAC (RFC 2104 2), each the low five bits of a byte."""
    inner, outer = (half.copy() for half in _keyed(key, purpose))
    inner.update(number.encode())
    outer.update(inner.digest())
    return outer.digest()[: _MAC_LENGTH[purpose]].translate(_LETTER_OF_BYTE).decode()


@lru_cache(64)
def _keyed(key: bytes, purpose: Purpose) -> tuple[hashlib._Hash, hashlib._Hash]:
    """Both hashes of an HMAC once they have taken in the key, and the inner one the purpose: numbers go into copies."""
    block = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\0")
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))
    inner.update(f"{purpose}:".encode())
    return inner, outer


def _to_base32(number: int) -> str:
    if number < 0:
        raise ValueError("message numbers are not negative")
    digits = ""
    while number or not digits:
        number, rest = divmod(number, 32)
        digits = _ALPHABET[rest] + digits
    return digits


def _from_base32(text: str) -> int:
    value = 0
    for letter in text:
        value = value * 32 + _ALPHABET.index(letter)
    return value


def hide_address(ring: KeyRing, address_key: str) -> str:
    """Return what stands for an erased address: it cannot be read back, and only who has the oldest key can make it."""
    return ERASED + hmac.new(ring.keys[-1], f"erased:{address_key}".encode(), hashlib.sha256).hexdigest()[:40]
