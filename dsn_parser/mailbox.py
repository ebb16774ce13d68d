"""One file, several mails: an mbox file (RFC 4155) cut into its mails, anything else left whole."""

from __future__ import annotations

from collections.abc import Iterator

from dsn_parser.scan import Pattern

_SEPARATOR = Pattern(r"^From \S+ +(?:[A-Z][a-z]{2} ){2} ?\d{1,2} \d\d?:\d\d")
_FIELD = Pattern(r"^(?:>?From |[A-Za-z][A-Za-z0-9-]*:)")


def split_mailbox(raw: bytes) -> Iterator[bytes]:
    """Yield the mails of an mbox file: it begins with a From line, and each later one stands below an empty line."""
    start = 0
    if raw.startswith(b"From "):
        at = raw.find(b"\n\nFrom ")
        while at >= 0:
            if _opens_mail(raw[at + 2 : at + 400]):
                yield raw[start : at + 1]
                start = at + 2
            at = raw.find(b"\n\nFrom ", at + 2)
    yield raw[start:]


def _opens_mail(piece: bytes) -> bool:
    first, _, rest = piece.decode("latin-1").partition("\n")
    return _SEPARATOR.matches(first) and _FIELD.matches(rest)
