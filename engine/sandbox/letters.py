"""Reads a mail as its receiver does: header fields, the links in it, and what stands behind List-Unsubscribe."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import Message

_FOLD = re.compile(rb"\r\n(?=[ \t])")
_LINK = re.compile(r"""https?://[^\s<>"')\]]+""")
_ANGLED = re.compile(r"<([^<>]+)>")


def head_of(wire: bytes) -> bytes:
    """The header section, with its last line end."""
    return wire[: wire.find(b"\r\n\r\n") + 2]


def field_of(wire: bytes, name: str) -> str:
    """The first value of a header field, unfolded; "" where there is none."""
    head = _FOLD.sub(b"", head_of(wire))
    start = f"{name}:".lower().encode()
    for line in head.split(b"\r\n"):
        if line[: len(start)].lower() == start:
            return line[len(start) :].decode("utf-8", "replace").strip()
    return ""


def links_of(wire: bytes) -> list[str]:
    """Every link in the text of a mail, in order, each once."""
    texts = (_text(part) for part in message_from_bytes(wire).walk() if part.get_content_maintype() == "text")
    return list(dict.fromkeys(link.rstrip(".,;") for text in texts for link in _LINK.findall(text)))


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode(part.get_content_charset("utf-8"), "replace").replace("&amp;", "&")


def unsubscribe_targets(wire: bytes) -> list[str]:
    """The addresses in List-Unsubscribe (RFC 2369), `https:` or `mailto:`, in order."""
    return _ANGLED.findall(field_of(wire, "List-Unsubscribe"))


def complaint_address(wire: bytes) -> str:
    """Where the sender wants complaints (RFC 9477 3.2); "" where it does not say."""
    return field_of(wire, "CFBL-Address").partition(";")[0].strip()
