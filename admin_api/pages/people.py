"""Logging in and out, one's own password, and the way to one's associations."""

from __future__ import annotations

import asyncio
import hmac

from starlette.responses import RedirectResponse

from admin_api.errors import Refusal
from admin_api.pages.cookies import session_cookie, set_cookie
from admin_api.pages.page import LOG_IN
from admin_api.pages.visit import Go, Outcome, Show, Visit
from engine.errors import InvalidInput
from engine.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD, hash_password, password_matches
from engine.register import associations
from engine.store import login_tries, sessions, users

_LONGEST_NAME = 254
_hashing = asyncio.Semaphore(2)  # each takes 46 MiB and a core for a while


async def home(visit: Visit) -> Outcome:
    """Where one lands: the member list, or the associations to choose from."""
    if visit.user.association_id is None:
        return Go("/foreningar")
    own = await associations.get(visit.connection, visit.user.association_id)
    return Go(f"/f/{own.slug}/medlemslista")


async def show_associations(visit: Visit) -> Outcome:
    """Every association, for operators."""
    return Show("associations.html", {"associations": await associations.listing(visit.connection)})


async def show_login(visit: Visit) -> Outcome:
    """The form."""
    return Show("login.html", {"wrong": False, "next": _local(visit.request.query_params.get("till", ""))})


async def log_in(visit: Visit) -> Outcome:
    """Begin a session; whether the name or the password was wrong, the answer and the time are the same."""
    name, database = visit.form.text("email").strip().lower()[:_LONGEST_NAME], visit.services.database
    async with database.write() as connection:
        if not await login_tries.book(connection, name, visit.now):
            raise Refusal(429, "too many tries; wait a quarter of an hour")
    person = await users.by_email(visit.connection, name)
    known = person.password_hash if person else None
    if not await _matches(known, visit.form.text("password")) or person is None:
        return Show("login.html", {"wrong": True, "next": _local(visit.form.text("next"))}, 401)
    async with database.write() as connection:
        await login_tries.forget(connection, name)
        token = await sessions.start(connection, person.id, visit.now)
    response = RedirectResponse(_local(visit.form.text("next")), 303)
    set_cookie(visit.services, response, session_cookie(visit.services), token)
    return response


async def log_out(visit: Visit) -> Outcome:
    """End the session."""
    await sessions.end(visit.connection, visit.request.cookies.get(session_cookie(visit.services), ""))
    response = RedirectResponse(f"{LOG_IN}?notis=utloggad", 303)
    response.delete_cookie(session_cookie(visit.services), path="/", secure=visit.services.is_https, httponly=True)
    return response


async def show_password(_: Visit) -> Outcome:
    """The form."""
    return Show("password.html", {"shortest": SHORTEST_PASSWORD})


async def change_password(visit: Visit) -> Outcome:
    """Change one's own password; every session ends, this one too."""
    new = visit.form.text("password")
    if not await _matches(visit.user.password_hash, visit.form.text("old_password")):
        raise InvalidInput("old_password", "the present password is another")
    if not SHORTEST_PASSWORD <= len(new) <= LONGEST_PASSWORD:
        raise InvalidInput("password", f"give at least {SHORTEST_PASSWORD} characters")
    if not hmac.compare_digest(new.encode(), visit.form.text("password_again").encode()):
        raise InvalidInput("password_again", "the two are not alike")
    async with _hashing:
        new_hash = await asyncio.to_thread(hash_password, new)
    async with visit.services.database.write() as connection:
        await users.set_password(connection, visit.user.id, new_hash)
    return Go(LOG_IN, "losenord")


async def _matches(password_hash: str | None, password: str) -> bool:
    async with _hashing:
        return await asyncio.to_thread(password_matches, password_hash, password[:LONGEST_PASSWORD])


def _local(path: str) -> str:
    """A path of our own to go on to; anything else is home."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours else "/"
