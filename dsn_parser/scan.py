"""The reading half's one door to RE2: every search takes time linear in the text, whatever comes."""

from __future__ import annotations

import re2


class Pattern:
    """A compiled expression over text; groups come back as text."""

    __slots__ = ("_compiled",)

    def __init__(self, expression: str) -> None:
        self._compiled = re2.compile(expression.encode())

    def matches(self, text: str) -> bool:
        """Tell whether the expression occurs anywhere in the text."""
        return self._compiled.search(text.encode("utf-8", "replace")) is not None

    def find(self, text: str) -> str:
        """Return the first group of the first occurrence, or ""."""
        found = self._compiled.search(text.encode("utf-8", "replace"))
        return (found.group(1) or b"").decode("utf-8", "replace") if found else ""

    def groups(self, text: str) -> tuple[str, ...]:
        """Return every group of the first occurrence, "" for those that took no part; () without an occurrence."""
        found = self._compiled.search(text.encode("utf-8", "replace"))
        return tuple((group or b"").decode("utf-8", "replace") for group in found.groups()) if found else ()

    def find_all(self, text: str) -> list[str]:
        """Return every occurrence, whole, in order."""
        found = self._compiled.finditer(text.encode("utf-8", "replace"))
        return [match.group(0).decode("utf-8", "replace") for match in found]

    def after_last(self, text: str) -> str:
        """Return what stands behind the last occurrence, or ""."""
        encoded = text.encode("utf-8", "replace")
        end = max((match.end() for match in self._compiled.finditer(encoded)), default=len(encoded))
        return encoded[end:].decode("utf-8", "replace")

    def position(self, text: str) -> int:
        """Return where the first occurrence begins, in characters, or -1."""
        encoded = text.encode("utf-8", "replace")
        found = self._compiled.search(encoded)
        return len(encoded[: found.start()].decode("utf-8", "replace")) if found else -1

    def replace(self, text: str, by: str) -> str:
        """Return the text with every occurrence replaced."""
        replaced: bytes = self._compiled.sub(by.encode(), text.encode("utf-8", "replace"))
        return replaced.decode("utf-8", "replace")


def any_of(*expressions: str) -> Pattern:
    """Compile one pattern that finds any of the expressions, upper or lower case alike."""
    return Pattern("(?i)(?:" + "|".join(expressions) + ")")
