"""Bytes to headers and parts, within hard limits; embedded messages are leaves and are never walked into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dsn_parser.headers import HEAD_LIMIT_BYTES, Headers, OverLimitError, read_headers, split_head, split_parameters
from dsn_parser.scan import Pattern
from dsn_parser.text import decode_text, decode_transfer, decode_words

DEPTH_LIMIT = 20
PART_LIMIT = 200

_BOUNDARY_LINE = Pattern(r"(?im)^--(\S[^\n]{3,200})\n(?:[^\n]{0,200}\n)?(?:content-|\n)")
_EMBEDDED = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})
_NO_ATTACHMENT = _EMBEDDED | {"text/plain", "text/html", "message/delivery-status", "message/feedback-report"}


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of the MIME tree, its body still as transferred."""

    headers: Headers
    body: bytes
    media_type: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body with its transfer encoding undone."""
        return decode_transfer(self.body, self.headers.get("content-transfer-encoding"))

    @property
    def text(self) -> str:
        """The body as text; HTML loses its tags."""
        return decode_text(self.content, self.parameters.get("charset", ""), is_html=self.media_type == "text/html")

    @property
    def is_embedded_message(self) -> bool:
        return self.media_type in _EMBEDDED

    @property
    def filename(self) -> str:
        _, parameters = split_parameters(self.headers.get("content-disposition"))
        return decode_words(parameters.get("filename", "") or self.parameters.get("name", ""))


@dataclass(frozen=True, slots=True)
class Mail:
    """A whole mail: its headers and the leaves of its MIME tree in order."""

    headers: Headers
    parts: tuple[Part, ...]

    def of_type(self, *media_types: str) -> Iterator[Part]:
        """Yield the parts of the given types."""
        return (part for part in self.parts if part.media_type in media_types)

    @property
    def attachments(self) -> Iterator[Part]:
        """The parts that are neither text, nor returned mail, nor delivery status."""
        return (part for part in self.parts if part.media_type not in _NO_ATTACHMENT)


def read_mail(raw: bytes) -> Mail:
    """Read a mail; raises OverLimitError where it passes a limit (THREATS, Parser)."""
    raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    head, body = split_head(raw)
    headers = read_headers(head)
    parts: list[Part] = []
    _collect(headers, body, 0, parts)
    return Mail(headers, tuple(parts))


def _collect(headers: Headers, body: bytes, depth: int, parts: list[Part], untyped: str = "") -> None:
    """Append the leaves of a part; `untyped` is what a part without a type is here (RFC 2046 5.1.5)."""
    media_type, parameters = split_parameters(headers.get("content-type") or untyped)
    pieces = _split_multipart(body, parameters.get("boundary", "")) if media_type.startswith("multipart/") else []
    if not pieces:
        _append(Part(headers, body, _leaf_type(media_type), parameters), parts)
        return
    if depth >= DEPTH_LIMIT:
        raise OverLimitError("depth")
    for piece in pieces:
        inner, inner_body = _split_piece(piece)
        _collect(inner, inner_body, depth + 1, parts, "message/rfc822" if media_type == "multipart/digest" else "")


def _leaf_type(media_type: str) -> str:
    return "text/plain" if not media_type or media_type.startswith("multipart/") else media_type


def _append(part: Part, parts: list[Part]) -> None:
    if len(parts) >= PART_LIMIT:
        raise OverLimitError("parts")
    parts.append(part)


def _split_piece(piece: bytes) -> tuple[Headers, bytes]:
    """A piece without fields of its own is all body, however its author forgot the empty line."""
    if piece.startswith(b"\n"):
        return Headers(), piece[1:]
    head, body = split_head(piece)
    if b"content-" not in head[:HEAD_LIMIT_BYTES].lower():
        return Headers(), piece
    return read_headers(head), body


def _split_multipart(body: bytes, boundary: str) -> list[bytes]:
    """Cut a body at its boundary lines; where the declared boundary is absent, the one that is there is used."""
    body = b"\n" + body
    declared = _cut(body, boundary.encode("utf-8", "replace")) if boundary else []
    if declared:
        return declared
    found = _BOUNDARY_LINE.find(body[:HEAD_LIMIT_BYTES].decode("latin-1")).rstrip()
    return _cut(body, found.encode("latin-1")) if found else []


def _cut(body: bytes, boundary: bytes) -> list[bytes]:
    pieces: list[bytes] = []
    beginning = -1
    for start, end, rest in _boundary_lines(body, b"\n--" + boundary):
        if beginning >= 0:
            pieces.append(body[beginning:start])
        if len(pieces) > PART_LIMIT:
            raise OverLimitError("parts")
        if rest == b"--":
            return pieces
        beginning = end
    return pieces + ([body[beginning:]] if beginning >= 0 else [])


def _boundary_lines(body: bytes, delimiter: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Begin, end and rest of each boundary line; `--ab` is no boundary of `a` (RFC 2046 5.1.1)."""
    start = body.find(delimiter)
    while start >= 0:
        end = body.find(b"\n", start + len(delimiter)) + 1 or len(body)
        rest = body[start + len(delimiter) : end].strip()
        if rest in {b"", b"--"}:
            yield start, end, rest
        start = body.find(delimiter, end - 1 if end < len(body) else end)
