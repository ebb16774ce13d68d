"""Passwords, hashed with Argon2id (RFC 9106); the one file that imports argon2."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 200

_hasher = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
_nobody = _hasher.hash("the hash that unknown names are compared with")


def hash_password(password: str) -> str:
    """The hash to keep; takes some tens of milliseconds and 46 MiB on purpose, so call it in a thread."""
    return _hasher.hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one that was hashed; None (no such user) takes the same time and is False."""
    try:
        return _hasher.verify(password_hash or _nobody, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False
