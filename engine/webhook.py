"""How webhooks are spoken to: secret and signature as in Standard Webhooks, and how long a failure rests.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

import httpx
import orjson

from engine.errors import InvalidInput
from engine.return_path import KeyRing
from engine.route.web import Unreachable, WebClient
from engine.store.webhooks import Event, Webhook
from engine.store.words import storable

_SECONDS = 10.0
_MOST_ANSWER_BYTES = 1024
_MOST_WORDS = 200
LONGEST_URL = 2000
_HIGHEST_PORT = 65_535
_RESTS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 2 * 60, 5 * 60))
_WINDOW = timedelta(days=5)


class Herald:
    """Posts to webhooks, signed, and only at addresses that may be dialled."""

    def __init__(self, web: WebClient, ring: KeyRing) -> None:
        self._web = web
        self._ring = ring

    async def tell(self, hook: Webhook, events: Sequence[Event], now: datetime) -> str:
        """Post some events; returns why they were not taken, empty where they were.

        The same events have the same `webhook-id`, however often they are posted.
        """
        return await self._post(hook, f"{hook.id}-{events[0].id}-{events[-1].id}", [*map(_show, events)], now)

    async def ping(self, hook: Webhook, now: datetime) -> str:
        """Post an event of the kind `ping`, which is about nothing; returns why it was not taken."""
        return await self._post(hook, f"{hook.id}-ping-{now.timestamp():.0f}", [{"kind": "ping", "at": now}], now)

    async def _post(self, hook: Webhook, post_id: str, events: Sequence[dict[str, object]], now: datetime) -> str:
        body = orjson.dumps({"webhook": hook.id, "events": events}, option=orjson.OPT_UTC_Z)
        headers = {"Content-Type": "application/json", **sign(secret_of(self._ring, hook), post_id, now, body)}
        try:
            answer = await self._web.ask(
                "POST", hook.url, seconds=_SECONDS, most_bytes=_MOST_ANSWER_BYTES, headers=headers, content=body
            )
        except Unreachable as error:
            return storable(str(error))[:_MOST_WORDS]
        words = " ".join(storable(answer.body.decode(errors="replace")).split())[:_MOST_WORDS]
        return "" if 200 <= answer.status < 300 else f"{answer.status} {words}".rstrip()


def secret_of(ring: KeyRing, hook: Webhook) -> bytes:
    """What a webhook's posts are signed with: made of the oldest key, so that it outlives the rotation of keys."""
    return hmac.digest(ring.keys[-1], f"webhook:{hook.id}:{hook.nonce}".encode(), hashlib.sha256)


def show_secret(secret: bytes) -> str:
    """The secret as libraries for Standard Webhooks take it."""
    return "whsec_" + b64encode(secret).decode()


def sign(secret: bytes, post_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers that prove a post to be ours and new: HMAC-SHA256 over `id.timestamp.body`."""
    timestamp = str(int(at.timestamp()))
    mac = hmac.digest(secret, f"{post_id}.{timestamp}.".encode() + body, hashlib.sha256)
    signature = "v1," + b64encode(mac).decode()
    return {"webhook-id": post_id, "webhook-timestamp": timestamp, "webhook-signature": signature}


def rest_after(failures: int) -> timedelta | None:
    """How long to wait after so many failures in a row; None once five days have been tried."""
    rests = [_RESTS[min(number, len(_RESTS) - 1)] for number in range(failures)]
    return None if sum(rests[:-1], timedelta()) + rests[-1] > _WINDOW else rests[-1]


def check_url(url: str, mode: str) -> str:
    """The URL as it is posted to: https, in the sandbox http as well. Raises InvalidInput."""
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise InvalidInput("url", f"this is no URL ({error}); give one as in https://example.org/hook") from None
    schemes = ("https",) if mode == "internet" else ("https", "http")
    if parsed.scheme not in schemes or not parsed.host or parsed.userinfo or parsed.fragment:
        raise InvalidInput("url", "give an https URL with a host, without user, password or fragment")
    if parsed.port and parsed.port > _HIGHEST_PORT:
        raise InvalidInput("url", f"give a port of at most {_HIGHEST_PORT}")
    if len(str(parsed)) > LONGEST_URL:
        raise InvalidInput("url", f"give at most {LONGEST_URL} characters")
    return str(parsed)


def _show(event: Event) -> dict[str, object]:
    """Receivers like to repeat the address; what is told could not be taken back when a person is erased."""
    told = asdict(event)
    if email := told.pop("email"):
        told["text"] = re.sub(re.escape(email), "(address)", event.text, flags=re.IGNORECASE)
    return told
