"""Logging in and out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.store import sessions
from tests.api.world import PASSWORD, World
from tests.pages.visitor import Visitor, visitor

_WRONG = "stämmer inte ihop"


async def test_a_secretary_lands_in_the_member_list_of_the_association(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one:
        assert (await one.browser.get("/")).headers["Location"] == f"/f/{club.slug}/medlemslista"


async def test_a_wrong_name_and_a_wrong_password_look_alike(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world) as one:
        known = await one.log_in(club.user_email, "fel lösenord här")
        unknown = await one.log_in("nobody@nowhere.example", "fel lösenord här")
    assert known.status_code == unknown.status_code == 401
    assert _WRONG in known.text
    assert known.text.replace(club.user_email, "nobody@nowhere.example") == unknown.text


async def test_the_eleventh_try_is_refused_even_with_the_right_password(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world) as one:
        for email in (club.user_email, "nobody@nowhere.example"):
            answers = [(await one.log_in(email, "fel")).status_code for _ in range(10)]
            assert answers == [401] * 10
            assert (await one.log_in(email)).status_code == 429
        world.clock.leap(timedelta(minutes=15).total_seconds())
        assert (await one.log_in(club.user_email)).status_code == 303


async def test_a_session_is_new_with_every_login(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world) as one:
        one.browser.cookies.set("brevduva", "planted-by-somebody-else")
        answer = await one.log_in(club.user_email)
        cookie = answer.headers["Set-Cookie"]
    assert "planted" not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_over_https_the_cookie_is_bound_to_our_host(world: World) -> None:
    club = await world.club("Sjövik")
    secure = World.make(world.database, world.settings.storage.data_dir, "https://post.example.org")
    async with secure.browser() as browser:
        browser.base_url = "https://post.example.org"
        answer = await Visitor(browser).log_in(club.user_email)
    assert answer.headers["Set-Cookie"].startswith("__Host-brevduva=")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"]


async def test_logging_out_ends_the_session(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one:
        token = one.browser.cookies["brevduva"]
        await one.send("/logga-ut")
        async with world.database.read() as connection:
            assert await sessions.find(connection, token, world.clock.now()) is None


async def test_a_new_password_logs_everybody_out(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one, visitor(world, club.user_email) as other:
        form = {"old_password": PASSWORD, "password": "ett annat långt ord", "password_again": "ett annat långt ord"}
        assert (await one.send("/losenord", form)).status_code == 303
        for each in (one, other):
            assert (await each.browser.get("/")).headers["Location"].startswith("/logga-in")
        assert (await one.log_in(club.user_email)).status_code == 401
        assert (await one.log_in(club.user_email, "ett annat långt ord")).status_code == 303


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"old_password": "fel"}, "nuvarande lösenordet stämmer inte"),
        ({"password": "kort"}, "minst tolv tecken"),
        ({"password_again": "något helt annat"}, "inte lika"),
    ],
)
async def test_a_password_is_changed_only_with_care(world: World, form: dict[str, str], said: str) -> None:
    club = await world.club("Sjövik")
    good = {"old_password": PASSWORD, "password": "ett annat långt ord", "password_again": "ett annat långt ord"}
    async with visitor(world, club.user_email) as one:
        answer = await one.send("/losenord", good | form)
    assert answer.status_code == 422
    assert said in answer.text


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_logging_in_never_leads_away(world: World, path: str) -> None:
    club = await world.club("Sjövik")
    async with visitor(world) as one:
        await one.open("/logga-in")
        answer = await one.send("/logga-in", {"email": club.user_email, "password": PASSWORD, "next": path})
    assert answer.headers["Location"] == "/"
