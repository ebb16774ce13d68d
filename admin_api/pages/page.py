"""One line of the pages' route table, and how a visit to it is served.

Reading never changes anything; every form carries the secret of its session; a form that cannot be taken is shown
again with what was written in it.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from admin_api.bodies import LARGEST_UPLOAD_BYTES, SMALL_BODY_BYTES, limit_body
from admin_api.errors import Refusal
from admin_api.pages.cookies import form_cookie, session_cookie, set_cookie
from admin_api.pages.form import EMPTY, read_form
from admin_api.pages.templating import render
from admin_api.pages.visit import Go, Outcome, Show, Visit
from admin_api.services import Services
from config.vocabulary import Role
from engine.errors import Conflict, InvalidInput, NotFound
from engine.register import associations
from engine.register.imports import Plan, plan_import, read_register
from engine.store import sessions, users
from engine.store.database import Connection

LOG_IN = "/logga-in"
_FORM_SECRET_BYTES = 32


class Access(StrEnum):
    """Who may open a page."""

    PUBLIC = "public"  # everybody; a form on it still carries its secret
    LINK = "link"  # whoever holds a signed link, which is secret enough: mail providers post to it as well
    PERSON = "person"  # everybody who is logged in
    ASSOCIATION = "association"  # the association's secretaries, and operators
    OPERATOR = "operator"


Handler = Callable[[Visit], Awaitable[Outcome]]


@dataclass(frozen=True)
class Page:
    """One method and path of the pages, who may open it, and what answers; `again` shows a form that was refused."""

    method: str
    path: str
    act: Handler
    access: Access = Access.ASSOCIATION
    again: Handler | None = None
    takes_file: bool = False
    own_transactions: bool = False  # opens its transactions itself, so that none waits while a password is hashed

    @property
    def changes(self) -> bool:
        return self.method != "GET"

    def route(self, services: Services) -> Route:
        async def serve_request(request: Request) -> Response:
            return await serve(self, services, request)

        return Route(self.path, serve_request, methods=[self.method])


async def serve(page: Page, services: Services, request: Request) -> Response:
    """Admit the visitor, read the form, do the work in one transaction, show the outcome."""
    async with services.database.read() as connection:
        visit = await _open(services, request, connection)
        if visit.person is None and page.access not in (Access.PUBLIC, Access.LINK):
            return RedirectResponse(f"{LOG_IN}?till={quote('/' if page.changes else _path_of(request))}", 303)
        visit = await _admit(page, visit)
    if page.changes:
        most_bytes = LARGEST_UPLOAD_BYTES if page.takes_file else SMALL_BODY_BYTES
        visit = replace(visit, form=await read_form(limit_body(request, most_bytes)))
        _check_secret(page, visit)
        return await _change(page, visit)
    async with services.database.read() as connection:
        visit = replace(visit, connection=connection)
        return _respond(visit, await page.act(visit))


async def _change(page: Page, visit: Visit) -> Response:
    database = visit.services.database
    try:
        if page.takes_file:
            visit = replace(visit, plan=await _plan_file(visit))
        async with database.read() if page.own_transactions else database.write() as connection:
            outcome = await page.act(replace(visit, connection=connection))
        return _respond(visit, outcome)
    except (InvalidInput, Conflict) as error:
        if page.again is None:
            raise
        refused = error
    async with database.read() as connection:
        again = replace(visit, connection=connection, error=refused)
        return _respond(again, await page.again(again), status=422)


async def _plan_file(visit: Visit) -> Plan:
    """What the register in the form makes of the cards, worked out before the transaction: it may take a while."""
    try:
        sheet = await asyncio.to_thread(read_register, visit.form.file, visit.form.file_name)
        return await plan_import(visit.services.database, visit.association.id, sheet)
    except InvalidInput as error:
        raise InvalidInput("file", str(error)) from None


async def _open(services: Services, request: Request, connection: Connection) -> Visit:
    """Who is visiting, if anybody."""
    now = services.clock.now()
    visit = Visit(services, connection, request, now, csrf="", form=EMPTY)
    token = request.cookies.get(session_cookie(services), "")
    session = await sessions.find(connection, token, now) if token else None
    if session is None:
        return replace(visit, csrf=request.cookies.get(form_cookie(services)) or _new_secret())
    return replace(visit, csrf=session.csrf, person=await users.get(connection, session.user_id))


def _new_secret() -> str:
    return secrets.token_urlsafe(_FORM_SECRET_BYTES)


async def _admit(page: Page, visit: Visit) -> Visit:
    """Raises Refusal 403, or NotFound alike for what is unknown and what is somebody else's."""
    if page.access is Access.OPERATOR and visit.user.role is not Role.OPERATOR:
        raise Refusal(403, "only operators may open this page")
    if page.access is not Access.ASSOCIATION:
        return visit
    found = await associations.by_slug(visit.connection, visit.request.path_params["slug"])
    if visit.user.association_id not in (None, found.id):
        raise NotFound("there is no such association")
    return replace(visit, home=found)


def _check_secret(page: Page, visit: Visit) -> None:
    """Refuse a form that another site made its visitor send."""
    if page.access is Access.LINK:
        return
    if not hmac.compare_digest(visit.form.text("csrf").encode(), visit.csrf.encode()):
        raise Refusal(403, "the form is too old or was not ours; open the page again")


def _respond(visit: Visit, outcome: Outcome, status: int | None = None) -> Response:
    match outcome:
        case Show():
            response = render(visit, outcome, status or outcome.status)
            if visit.person is None:
                set_cookie(visit.services, response, form_cookie(visit.services), visit.csrf)
            return response
        case Go(to=to, notice=notice):
            mark = "&" if "?" in to else "?"
            return RedirectResponse(f"{to}{mark}notis={notice}" if notice else to, 303)
        case Response():
            return outcome


def _path_of(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
