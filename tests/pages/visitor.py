"""A person with a browser: logs in, opens pages, sends the forms that stand on them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from tests.api.world import PASSWORD, World

_SECRET = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Visitor:
    """One browser; `secret` is what its session's forms carry."""

    browser: httpx.AsyncClient
    secret: str = ""

    async def open(self, path: str) -> httpx.Response:
        answer = await self.browser.get(path)
        if found := _SECRET.search(answer.text):
            self.secret = found[1]
        return answer

    async def send(self, path: str, form: Mapping[str, object] | None = None, **more: object) -> httpx.Response:
        """Send a form with the session's secret in it."""
        files = more.get("files")
        data = {"csrf": self.secret, **(form or {})}
        if isinstance(files, dict):
            return await self.browser.post(path, data=data, files=files)
        return await self.browser.post(path, data=data)

    async def log_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        await self.open("/logga-in")
        answer = await self.send("/logga-in", {"email": email, "password": password})
        await self.open("/losenord")
        return answer


@asynccontextmanager
async def visitor(world: World, email: str = "") -> AsyncIterator[Visitor]:
    """Somebody who has logged in, where an address is given."""
    async with world.browser() as browser:
        one = Visitor(browser)
        if email:
            await one.log_in(email)
        yield one
