"""A small installation behind its web application: two associations that must not see each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Self

import httpx
from starlette.applications import Starlette

from admin_api.app import create_app
from config.settings import Settings, read_settings
from config.vocabulary import BodyFormat, MessageStatus, Reason
from engine.clock import HandClock
from engine.keys import Keys
from engine.mailing import confirmations, drafts, sending
from engine.passwords import hash_password
from engine.register import associations, cards, offices, views
from engine.register.views import EVERY_CARD
from engine.return_path import KeyRing, Purpose, sign
from engine.store import api_keys, history, operations, users, webhooks
from engine.store.database import Connection, Database
from engine.store.suppressions import Suppression, suppress

BASE = "http://127.0.0.1:8080"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "en lång rad ord"


@cache
def password_hash() -> str:
    return hash_password(PASSWORD)


@dataclass(frozen=True)
class Club:
    """One association with one of everything, and the numbers of it."""

    association_id: int
    slug: str
    office_id: int
    user_id: int
    user_email: str
    view_id: int
    card_id: int
    unconfirmed_id: int
    draft_id: int
    mailing_id: int
    message_id: int
    request_id: int
    suppression_id: int
    webhook_id: int
    key: str

    def numbers(self) -> dict[str, int]:
        """What stands in a path for this association."""
        return {
            "association_id": self.association_id,
            "office_id": self.office_id,
            "user_id": self.user_id,
            "view_id": self.view_id,
            "card_id": self.card_id,
            "mailing_id": self.draft_id,
            "message_id": self.message_id,
            "suppression_id": self.suppression_id,
            "webhook_id": self.webhook_id,
        }


@dataclass
class World:
    """The application, its store and a browser or program to ask it with."""

    settings: Settings
    database: Database
    clock: HandClock = field(default_factory=lambda: HandClock(NOW))
    keys: Keys = field(default_factory=lambda: Keys(KeyRing((b"k" * 32,)), ()))

    def __post_init__(self) -> None:
        self.app: Starlette = create_app(self.settings, self.database, self.clock, self.keys)

    @classmethod
    def make(cls, database: Database, folder: Path, base_url: str = BASE) -> Self:
        settings = read_settings(storage={"data_dir": str(folder)}, web={"base_url": base_url})
        return cls(settings, database)

    def program(self, key: str = "") -> httpx.AsyncClient:
        """A program that calls the API with a key."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=BASE + "/api/v1", headers=headers)

    def browser(self) -> httpx.AsyncClient:
        """A browser that follows nothing by itself, so that every step shows."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=BASE)

    async def installation_key(self) -> str:
        async with self.database.write() as connection:
            return (await api_keys.create(connection, None, "drift", NOW))[1]

    async def operator(self) -> str:
        """An operator who may log in; returns the address."""
        async with self.database.write() as connection:
            hashed = password_hash()
            made = await users.create(
                connection, None, name="Olle", email="olle@drift.example", password_hash=hashed, now=NOW
            )
            return made.email

    async def club(self, name: str) -> Club:
        async with self.database.write() as connection:
            return await _found_club(connection, name)

    def link(self, purpose: Purpose, message_id: int) -> str:
        return f"/{'c' if purpose is Purpose.CONFIRM else 'u'}/{sign(self.keys.ring, purpose, message_id)}"


async def _found_club(connection: Connection, name: str) -> Club:
    made = await associations.create(connection, name, NOW, columns=["Ort"])
    office = await offices.create(connection, made.id, "Kansliet", NOW)
    email = f"siv@{made.slug}.example"
    person = await users.create(
        connection, made.id, name="Siv Sekreterare", email=email, password_hash=password_hash(), now=NOW
    )
    view = await views.create(connection, made.id, "Alla i Umeå", NOW, filter=EVERY_CARD)
    ida = await _add_card(connection, made.id, "Ida", "Idunsson", f"ida@{made.slug}.example")
    mattias = await _add_card(connection, made.id, "Mattias", "Medlemsson", f"mattias@{made.slug}.example")
    asked = await confirmations.request_confirmations(
        connection, made.id, EVERY_CARD, user_id=person.id, office_id=office.id, now=NOW
    )
    assert asked.mailing_id is not None
    request = await history.message_for_card(connection, asked.mailing_id, ida)
    assert request is not None
    await confirmations.confirm(connection, request.id, "test", NOW)
    other = await history.message_for_card(connection, asked.mailing_id, mattias)
    assert other is not None
    sent_id = await _write(connection, made.id, office.id, person.id)
    await sending.send(connection, made.id, sent_id, EVERY_CARD, NOW)
    message = await history.message_for_card(connection, sent_id, ida)
    assert message is not None
    await suppress(
        connection,
        [Suppression(f"bort@{made.slug}.example", made.id, MessageStatus.UNSUBSCRIBED, Reason.OPT_OUT, "bad om det")],
        NOW,
    )
    unconfirmed = await _add_card(connection, made.id, "Una", "Utan", f"una@{made.slug}.example")
    await _add_card(connection, made.id, "Bo", "Bort", f"bort@{made.slug}.example")
    suppression = (await operations.suppressions_seen_by(connection, made.id))[0]
    webhook = await webhooks.add(connection, made.id, "http://127.0.0.1:9/", "salt", NOW)
    _, key = await api_keys.create(connection, made.id, "program", NOW)
    return Club(
        association_id=made.id,
        slug=made.slug,
        office_id=office.id,
        user_id=person.id,
        user_email=email,
        view_id=view.id,
        card_id=ida,
        unconfirmed_id=unconfirmed,
        draft_id=await _write(connection, made.id, office.id, person.id),
        mailing_id=sent_id,
        message_id=message.id,
        request_id=other.id,
        suppression_id=suppression.id,
        webhook_id=webhook.id,
        key=key,
    )


async def _add_card(connection: Connection, association_id: int, first: str, last: str, email: str) -> int:
    values = {"first_name": first, "last_name": last, "email": email, "Ort": "Umeå"}
    return (await cards.create(connection, association_id, values, NOW)).id


async def _write(connection: Connection, association_id: int, office_id: int, user_id: int) -> int:
    draft = await drafts.create(
        connection,
        association_id,
        office_id,
        user_id,
        subject="Hej %FIRST_NAME%",
        body="Välkommen på **årsmötet**, %NAME%!",
        format=BodyFormat.MARKDOWN,
        now=NOW,
    )
    return draft.id
