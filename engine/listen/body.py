"""The bytes between DATA and the final dot: only CRLF.CRLF ends them, dots are unstuffed, bare characters are noticed.

Pure and streaming (RFC 5321 4.1.1.4, 4.5.2): it never holds more than the chunk it is fed and six bytes, however long a
line is and wherever the network cuts it, so no sequence that some other server takes for an end can smuggle a mail in.
"""

from __future__ import annotations

_END = b"\r\n.\r\n"


class Body:
    """One body being received; `feed` it until `is_complete`, then `rest` is what came after the final dot."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self.has_bare_characters = False
        self.is_complete = False
        self.rest = b""
        self._held = b"\r\n"  # the end of the DATA line: a dot right after it ends an empty mail
        self._is_first = True

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes from the wire and return the content they complete."""
        window = self._held + chunk
        end = window.find(_END)
        if end < 0:
            cut = _safe_cut(window)
            self._held = window[cut:]
        else:
            cut = end + 2
            self.is_complete, self._held, self.rest = True, b"", window[end + len(_END) :]
        return self._release(window[:cut])

    def _release(self, region: bytes) -> bytes:
        if not region:
            return b""
        self.has_bare_characters = self.has_bare_characters or has_bare_characters(region)
        content = region.replace(b"\r\n.", b"\r\n")
        if self._is_first:
            self._is_first, content = False, content[2:]
        self.size_bytes += len(content)
        return content


def _safe_cut(window: bytes) -> int:
    """Return how much can be let go: whatever is held back begins at or before a line end that may start the end."""
    cut = max(len(window) - (len(_END) - 1), 0)
    if window[:cut].endswith(b"\r\n"):
        return cut - 2
    return cut - 1 if window[:cut].endswith(b"\r") else cut


def has_bare_characters(region: bytes) -> bool:
    """Tell whether CR or LF stand alone in it, or NUL at all (RFC 5321 2.3.8)."""
    line_ends = region.count(b"\r\n")
    return region.count(b"\r") != line_ends or region.count(b"\n") != line_ends or b"\0" in region
