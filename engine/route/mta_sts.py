"""MTA-STS (RFC 8461): a domain's policy on TLS to its exchangers, fetched over HTTPS, remembered, refreshed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from engine.clock import Clock
from engine.route.resolver import Resolver
from engine.route.web import Unreachable, WebClient

FETCH_SECONDS = 30.0
MAX_POLICY_BYTES = 64_000
MAX_AGE_SECONDS = 31_557_600
NOT_AGAIN_FOR = timedelta(minutes=5)
"""How long a failed fetch is not repeated (RFC 8461 3.3 asks for a limit)."""
_MOST_REMEMBERED = 20_000


class Mode(StrEnum):
    """What a policy asks of senders (RFC 8461 5)."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """A policy as published: its mode, the exchangers it allows, how many seconds it may be remembered."""

    mode: Mode
    mx: tuple[str, ...]
    max_age: int

    def allows(self, host: str) -> bool:
        """Whether a pattern fits the host; `*.` stands for exactly one label (RFC 8461 4.1)."""
        wild = f"*.{host.partition('.')[2]}"
        return any(pattern in (host, wild) for pattern in self.mx)


NO_POLICY = StsPolicy(Mode.NONE, (), 0)


class BadPolicy(ValueError):
    """The text is no valid policy, or could not be fetched; the message says why."""


@dataclass(frozen=True, slots=True)
class _Known:
    policy: StsPolicy
    policy_id: str
    good_until: datetime
    ask_again_at: datetime


class Fetcher(Protocol):
    """Where a policy's text comes from."""

    async def fetch(self, domain: str) -> str: ...


class StsPolicies:
    """The policies of domains; once fetched one holds for its time, even when DNS or its web server falls silent."""

    def __init__(self, resolver: Resolver, clock: Clock, fetcher: Fetcher) -> None:
        self._resolver = resolver
        self._clock = clock
        self._fetcher = fetcher
        self._known: dict[str, _Known] = {}

    async def find(self, domain: str) -> StsPolicy:
        """The policy that holds for a domain now."""
        now = self._clock.now()
        known = self._known.get(domain)
        if known and known.good_until <= now and known.ask_again_at <= now:
            known = None
        policy_id = read_policy_id((await self._resolver.find_texts(f"_mta-sts.{domain}")).records)
        is_news = policy_id and (known is None or policy_id != known.policy_id)
        if is_news and (known is None or known.ask_again_at <= now):
            known = await self._refresh(domain, policy_id, known, now)
        return known.policy if known and known.good_until > now else NO_POLICY

    async def _refresh(self, domain: str, policy_id: str, known: _Known | None, now: datetime) -> _Known:
        """Fetch; where that fails, what is known goes on (RFC 8461 5.1)."""
        try:
            policy = read_policy(await self._fetcher.fetch(domain))
            new = _Known(policy, policy_id, now + timedelta(seconds=policy.max_age), now)
        except BadPolicy:
            policy, old_id, until = (known.policy, known.policy_id, known.good_until) if known else (NO_POLICY, "", now)
            new = _Known(policy, old_id, until, now + NOT_AGAIN_FOR)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[domain] = new
        return new


class PolicyFetcher:
    """Fetches policies over HTTPS."""

    def __init__(self, web: WebClient, *, port: int = 443) -> None:
        self._web = web
        self._port = port

    async def fetch(self, domain: str) -> str:
        """The text at the well-known place (RFC 8461 3.3); raises BadPolicy for anything but a plain 200."""
        url = f"https://mta-sts.{domain}:{self._port}/.well-known/mta-sts.txt"
        try:
            answer = await self._web.ask("GET", url, seconds=FETCH_SECONDS, most_bytes=MAX_POLICY_BYTES + 1)
            text = answer.body.decode()
        except (Unreachable, UnicodeDecodeError) as error:
            raise BadPolicy(f"{domain}: {error}") from error
        if answer.status != 200 or answer.kind != "text/plain":
            raise BadPolicy(f"{domain}: {answer.status} {answer.kind}")
        if len(answer.body) > MAX_POLICY_BYTES:
            raise BadPolicy("the policy is too long")
        return text


def read_policy_id(texts: tuple[str, ...]) -> str:
    """The id in the one TXT record that begins with `v=STSv1;` (RFC 8461 3.1), "" where there is not exactly one."""
    records = [text for text in texts if text.startswith("v=STSv1;")]
    if len(records) != 1:
        return ""
    fields = dict(_split(field, "=") for field in records[0].split(";"))
    policy_id = fields.get("id", "")
    return policy_id if policy_id.isascii() and policy_id.isalnum() and len(policy_id) <= 32 else ""


def read_policy(text: str) -> StsPolicy:
    """Read a policy (RFC 8461 3.2); raises BadPolicy where it is not valid."""
    pairs = [_split(line, ":") for line in text.splitlines() if line.strip()]
    first = dict(reversed(pairs))  # of a repeated field the first counts
    mx = tuple(value.lower().rstrip(".") for name, value in pairs if name == "mx" and value)
    age = first.get("max_age", "")
    if first.get("version") != "STSv1" or not (age.isascii() and age.isdigit() and len(age) <= 10):
        raise BadPolicy("version or max_age is missing or wrong")
    try:
        mode = Mode(first.get("mode", ""))
    except ValueError:
        raise BadPolicy("mode is missing or unknown") from None
    if mode is not Mode.NONE and not mx:
        raise BadPolicy("no exchanger is named")
    return StsPolicy(mode, mx, min(int(age), MAX_AGE_SECONDS))


def _split(field: str, mark: str) -> tuple[str, str]:
    name, _, value = field.partition(mark)
    return name.strip(), value.strip()
