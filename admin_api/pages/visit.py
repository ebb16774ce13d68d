"""One visit to a page, and what can come of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from admin_api.pages.form import Form
from admin_api.pages.languages import choose_language
from admin_api.services import Services
from engine.errors import Conflict, InvalidInput
from engine.register.associations import Association
from engine.register.imports import Plan
from engine.store import audit
from engine.store.database import Connection
from engine.store.users import User


@dataclass(frozen=True, slots=True)
class Show:
    """A page to be shown."""

    template: str
    values: dict[str, object]
    status: int = 200


@dataclass(frozen=True, slots=True)
class Go:
    """Another page to go to (303), with one of the sentences of `words.NOTICES` on it."""

    to: str
    notice: str = ""


Outcome = Show | Go | Response


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to a page, within one transaction."""

    services: Services
    connection: Connection
    request: Request
    now: datetime
    csrf: str
    form: Form
    person: User | None = None
    home: Association | None = None
    plan: Plan | None = None
    error: InvalidInput | Conflict | None = None

    @property
    def user(self) -> User:
        """Whoever is logged in; only where the page is for such."""
        assert self.person is not None
        return self.person

    @property
    def association(self) -> Association:
        """The association in the path; only where the page is an association's."""
        assert self.home is not None
        return self.home

    @property
    def language(self) -> str:
        """What the visitor's browser asks for; heeded on the members' own pages."""
        return choose_language(self.request.headers.get("Accept-Language", ""))

    @property
    def time_zone(self) -> ZoneInfo:
        """Where the reader lives."""
        return ZoneInfo(self.services.settings.web.time_zone)

    def id(self, name: str) -> int:
        return int(self.request.path_params[name])

    def here(self, path: str) -> str:
        """The address of another page of the association."""
        return f"/f/{self.association.slug}{path}"

    async def note(self, action: str, **detail: str | int | None) -> None:
        """Write down who did this."""
        whose = self.home.id if self.home else None
        actor = f"user {self.user.id}"
        await audit.note(self.connection, whose, actor=actor, action=action, detail=detail, now=self.now)
