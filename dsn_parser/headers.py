"""The head of a mail or part: fields unfolded, decoded and within limits (RFC 5322 2.2, RFC 2045 5.1)."""

from __future__ import annotations

from dsn_parser.text import decode_text, decode_words

HEAD_LIMIT_BYTES = 64 * 1024
HEADER_LIMIT_BYTES = 8 * 1024


class OverLimitError(ValueError):
    """The mail is bigger, deeper or wider than a report ever is."""


class Headers:
    """Unfolded header fields in order; names in lower case."""

    __slots__ = ("_values", "fields")

    def __init__(self, fields: tuple[tuple[str, str], ...] = ()) -> None:
        self.fields = fields
        self._values: dict[str, list[str]] = {}
        for name, value in fields:
            self._values.setdefault(name, []).append(value)

    def get(self, name: str) -> str:
        """Return the first value of a field, or ""."""
        values = self._values.get(name)
        return values[0] if values else ""

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field."""
        return tuple(self._values.get(name, ()))

    def text(self, name: str) -> str:
        """Return the first value with RFC 2047 words decoded, or ""."""
        return decode_words(self.get(name))


def split_head(raw: bytes) -> tuple[bytes, bytes]:
    """Split at the first empty line; a mail that begins with one is searched for its head below."""
    raw = raw.lstrip(b"\n")
    head, _, body = raw.partition(b"\n\n")
    return head, body


def read_headers(head: bytes, *, lenient: bool = False) -> Headers:
    """Unfold header lines (RFC 5322 2.2.3); raises OverLimitError unless lenient, which reads what fits."""
    if len(head) > HEAD_LIMIT_BYTES:
        if not lenient:
            raise OverLimitError("head")
        head = head[:HEAD_LIMIT_BYTES]
    fields: list[tuple[str, str]] = []
    for line in _unfold(decode_text(head, "")):
        if len(line) > HEADER_LIMIT_BYTES:
            if not lenient:
                raise OverLimitError("header")
            continue
        name, colon, value = line.partition(":")
        name = name.rstrip()
        if colon and name and " " not in name:
            fields.append((name.lower(), value.strip()))
    return Headers(tuple(fields))


def _unfold(head: str) -> list[str]:
    return head.replace("\n ", " ").replace("\n\t", " ").split("\n")


def split_parameters(value: str) -> tuple[str, dict[str, str]]:
    """Split `text/plain; charset="utf-8"` into its lower-case value and parameters (RFC 2045 5.1)."""
    main, _, rest = value.partition(";")
    parameters: dict[str, str] = {}
    while rest:
        name, _, rest = rest.partition("=")
        rest = rest.lstrip()
        if rest.startswith('"'):
            setting, _, rest = rest[1:].partition('"')
            rest = rest.partition(";")[2]
        else:
            setting, _, rest = rest.partition(";")
        parameters.setdefault(name.strip(" ;\t").lower(), setting.strip())
    return (main.split() or [""])[0].lower(), parameters
