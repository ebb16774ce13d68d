"""Text from outside, as both databases can keep it."""

from __future__ import annotations


def storable(text: str) -> str:
    """The same text with a replacement character for NUL and for halves of characters, which PostgreSQL refuses."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
