"""The one way to other people's web servers: at addresses that may be dialled, never further than it was sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

import httpx

from engine.route.resolver import Resolver


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What a server answered: its status, the type of its content, and as much of that as was wanted."""

    status: int
    kind: str
    body: bytes


class Unreachable(Exception):
    """There was no answer; the message says why."""


class WebClient:
    """Asks web servers, each request over a connection of its own, whose address was checked just before.

    `may_dial` judges the very address that is dialled, so that a name that changes its mind leads nowhere else;
    certificates must bear the name. Neither redirects nor proxies are followed.
    """

    def __init__(
        self, resolver: Resolver, may_dial: Callable[[str], bool], *, context: ssl.SSLContext | None = None
    ) -> None:
        self._resolver = resolver
        self._may_dial = may_dial
        self._context = context or ssl.create_default_context()

    async def ask(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        most_bytes: int,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
    ) -> WebAnswer:
        """Ask once, for so many seconds in all; what the answer has beyond `most_bytes` is not read.

        Raises Unreachable.
        """
        try:
            request = httpx.Request(method, url, headers=headers, content=content)
            async with asyncio.timeout(seconds):
                return await self._ask(request, most_bytes)
        except TimeoutError:
            raise Unreachable(f"no answer within {seconds:.0f} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(repr(error)) from error

    async def _find_address(self, host: str) -> str:
        found = (host,) if _is_address(host) else (await self._resolver.find_addresses(host)).records
        address = next(filter(self._may_dial, found), None)
        if address is None:
            raise Unreachable(f"{host} has no address that may be asked")
        return address

    async def _ask(self, request: httpx.Request, most_bytes: int) -> WebAnswer:
        """Dial the address that was checked; Host and SNI carry the name, which the certificate must bear.

        What is compressed is left so: a few bytes could become many.
        """
        name = request.url.raw_host.decode()
        request.headers.update({"User-Agent": "Brevduva", "Accept-Encoding": "identity"})
        request.extensions["sni_hostname"] = name
        request.url = request.url.copy_with(host=await self._find_address(name))
        async with httpx.AsyncClient(verify=self._context, trust_env=False) as client:
            response = await client.send(request, stream=True)
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            return WebAnswer(response.status_code, kind, await _read_at_most(response, most_bytes))


async def _read_at_most(response: httpx.Response, most_bytes: int) -> bytes:
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= most_bytes:
            break
    await response.aclose()
    return body[:most_bytes]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
