"""What every answer carries and every request must fulfil: the host by name, and headers that keep browsers honest."""

from __future__ import annotations

from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin_api.services import Services

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""No script at all, nothing from elsewhere, and in nobody's frame."""

PREVIEW_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""A mail as its receiver will see it: in a frame of ours, without script, forms, pictures or an origin."""

_ASKED_BY_ADDRESS = ("/healthz", "/readyz", "/metrics")
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_STATIC = "/static/"


class Guard:
    """Refuse requests for another host (421) and put the protective headers on every answer."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self.app = app
        self.host = services.host
        self.always = dict(_ALWAYS)
        if services.is_https:
            self.always["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._protect(MutableHeaders(scope=message), scope["path"])
            await send(message)

        app = self.app if self._is_for_us(scope) else PlainTextResponse("no such host here\n", 421)
        await app(scope, receive, send_guarded)

    def _is_for_us(self, scope: Scope) -> bool:
        if scope["path"] in _ASKED_BY_ADDRESS:
            return True
        asked = _host_of(Headers(scope=scope).get("host", ""))
        return asked == self.host or (_is_loopback(asked) and _is_loopback(self.host))

    def _protect(self, headers: MutableHeaders, path: str) -> None:
        headers.update(self.always)
        headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        headers.setdefault("Cache-Control", "max-age=3600" if path.startswith(_STATIC) else "no-store")


def _host_of(header: str) -> str:
    """The host without its port, as RFC 3986 3.2.2 writes it."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
