"""Follows links as members, mail programs and scanners do, over real HTTP."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx


class PageRefused(Exception):
    """A page could not be had, or had no button to press."""


class _FormReader(HTMLParser):
    """Finds the first form that posts: where to, and with which fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None and values.get("method", "").lower() == "post":
            self.action, self._is_inside = values.get("action", ""), True
        elif self._is_inside and tag in ("input", "button") and values.get("name"):
            self.fields[values["name"]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag != "form"


class Browser:
    """A browser that goes nowhere but to one web address, so that no packet leaves the machine."""

    def __init__(self, client: httpx.AsyncClient, base_url: str) -> None:
        self._client, self._base_url = client, base_url

    def may_visit(self, url: str) -> bool:
        return url.startswith(f"{self._base_url.rstrip('/')}/")

    async def look(self, url: str) -> str:
        """Fetch a page and return it; raises PageRefused."""
        return await self._ask("GET", url)

    async def press(self, url: str) -> None:
        """Open a page and press its button; raises PageRefused."""
        reader = _FormReader()
        reader.feed(await self.look(url))
        if reader.action is None:
            raise PageRefused(f"there is no button at {url}")
        await self._ask("POST", urljoin(url, reader.action), reader.fields)

    async def unsubscribe(self, url: str) -> None:
        """Post the one-click unsubscribe of a mail program (RFC 8058 3.2); raises PageRefused."""
        await self._ask("POST", url, {"List-Unsubscribe": "One-Click"})

    async def _ask(self, method: str, url: str, fields: dict[str, str] | None = None) -> str:
        if not self.may_visit(url):
            raise PageRefused(f"{url} is outside the box")
        try:
            response = await self._client.request(method, url, data=fields)
        except httpx.HTTPError as error:
            raise PageRefused(f"{method} {url}: {error!r}") from error
        if response.status_code >= 400:
            raise PageRefused(f"{response.status_code} at {method} {response.request.url.path}")
        return response.text
