"""How much a request may bring along."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import Message

from admin_api.errors import Refusal

SMALL_BODY_BYTES = 1 << 20
LARGEST_UPLOAD_BYTES = 16 << 20


def limit_body(request: Request, most_bytes: int) -> Request:
    """The same request, refused with 413 as soon as its body is known to be too big, and 415 where it is compressed."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refusal(415, "compressed bodies are not taken; send it as it is, without Content-Encoding")
    announced = request.headers.get("Content-Length", "0")
    if not announced.isdecimal() or len(announced) > 18 or int(announced) > most_bytes:
        raise _too_big(most_bytes)
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > most_bytes:
            raise _too_big(most_bytes)
        return message

    return Request(request.scope, receive)


def _too_big(most_bytes: int) -> Refusal:
    return Refusal(413, f"the body is too big; send at most {most_bytes} bytes")
