"""The last step before the wire."""

from __future__ import annotations


def dot_stuff(mail: bytes) -> bytes:
    """Double every dot that begins a line (RFC 5321 4.5.2); the mail has CRLF line ends only."""
    stuffed = mail.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if mail.startswith(b".") else stuffed
