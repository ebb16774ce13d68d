"""Webhooks by API: where an association's own program is told what happens to its mail."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

from pydantic import StringConstraints

from admin_api.endpoint import Call
from admin_api.paging import Page
from admin_api.shapes import Shape
from config.vocabulary import EventKind, MessageStatus
from engine.gateway import make_web
from engine.store import alerts
from engine.store import webhooks as store
from engine.store.webhooks import Webhook
from engine.telling import ALERT, subject_of
from engine.webhook import LONGEST_URL, Herald, check_url, secret_of, show_secret

_NONCE_BYTES = 16


class NewWebhook(Shape):
    """Where to tell what happens from now on; https only."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_URL)]


class WebhookView(Shape):
    """One webhook; `waiting` events are not told yet (at most 1000 are counted).

    After `failures` in a row the next attempt is at `next_attempt_at`; null: it is paused until a test is taken.
    """

    id: int
    url: str
    created_at: datetime
    waiting: int
    failures: int
    why: str
    next_attempt_at: datetime | None


class WebhookWithSecret(WebhookView):
    """A webhook just made, with the secret that its posts are signed with (standardwebhooks.com), shown this once."""

    secret: str


class ToldEvent(Shape):
    """One event of one message; a number comes again where it is not certain that it was taken."""

    id: int
    at: datetime
    kind: EventKind
    message_id: int
    mailing_id: int
    card_id: int
    old: MessageStatus
    new: MessageStatus
    attempt: int
    reason: str
    fault: str
    code: int
    enhanced: str
    text: str


class Ping(Shape):
    """What a test is told."""

    kind: Literal["ping"]
    at: datetime


class Post(Shape):
    """What a webhook is told, signed as standardwebhooks.com says; any 2xx takes it, and it comes again until then."""

    webhook: int
    events: list[ToldEvent] | list[Ping]


class PingView(Shape):
    """Whether a test was taken, and if not, why."""

    taken: bool
    why: str


async def list_all(call: Call) -> Page[WebhookView]:
    """Every webhook of the association, with what its program has not been told yet."""
    hooks = await store.listing(call.connection, call.association_id)
    return Page(items=[await _show(call, hook) for hook in hooks], next=None)


async def create(call: Call, body: NewWebhook) -> WebhookWithSecret:
    """Tell a program everything that happens to the association's mail from now on."""
    url = check_url(body.url, call.services.settings.sending.mode)
    made = await store.add(call.connection, call.association_id, url, secrets.token_hex(_NONCE_BYTES), call.now)
    await call.note("webhook added", webhook=made.id)
    secret = show_secret(secret_of(call.services.keys.ring, made))
    return WebhookWithSecret(**dict(await _show(call, made)), secret=secret)


async def remove(call: Call) -> None:
    """Tell a program no more."""
    hook = await _find(call)
    await store.remove(call.connection, hook.id)
    await alerts.close_about(call.connection, ALERT, subject_of(hook), call.now)
    await call.note("webhook removed", webhook=hook.id)


async def test(call: Call) -> PingView:
    """Send a `ping` now and tell what came of it; one that is taken lets a paused webhook go on."""
    hook = await _find(call)
    await call.connection.close()  # a stranger's silence must not keep it from others
    herald = Herald(make_web(call.services.settings, call.services.clock), call.services.keys.ring)
    why = await herald.ping(hook, call.now)
    if hook.failures and not why:
        async with call.services.database.write() as connection:
            await store.save(connection, hook, replace(hook, next_attempt_at=call.now, failures=0, why=""))
            await alerts.close_about(connection, ALERT, subject_of(hook), call.now)
    return PingView(taken=not why, why=why)


async def _find(call: Call) -> Webhook:
    return await store.get(call.connection, call.association_id, call.id("webhook_id"))


async def _show(call: Call, hook: Webhook) -> WebhookView:
    return WebhookView(
        id=hook.id,
        url=hook.url,
        created_at=hook.created_at,
        waiting=await store.count_untold(call.connection, hook),
        failures=hook.failures,
        why=hook.why,
        next_attempt_at=hook.next_attempt_at,
    )
