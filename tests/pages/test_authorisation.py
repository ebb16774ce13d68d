"""Who may open which page: every page of the table, every sort of visitor, own and other people's."""

from __future__ import annotations

import re

import httpx

from admin_api.pages.page import Access, Page
from admin_api.pages.table import PAGES
from engine.return_path import Purpose, sign
from engine.store import alerts, reports
from engine.store.reports import NewReport
from tests.api.world import NOW, Club, World
from tests.pages.visitor import Visitor, visitor

_PARAMETER = re.compile(r"\{(\w+):\w+\}")
_UNKNOWN = 999_999


def _path(world: World, page: Page, club: Club) -> str:
    """The page's path for a club."""
    purpose = Purpose.CONFIRM if page.path.startswith("/c/") else Purpose.UNSUBSCRIBE
    token = sign(world.keys.ring, purpose, club.request_id)
    sent = page.path.endswith(("/pausa", "/avbryt", "/varfor/{card_id:number}"))
    values = {
        **club.numbers(),
        "slug": club.slug,
        "mailing_id": club.mailing_id if sent else club.draft_id,
        "token": token,
        "name": "google.com",
        "alert_id": 1,
        "report_id": 1,
    }
    return _PARAMETER.sub(lambda found: str(values[found[1]]), page.path)


async def _ask(one: Visitor, page: Page, path: str) -> httpx.Response:
    return await one.send(path) if page.changes else await one.browser.get(path)


async def _prepare(world: World) -> None:
    async with world.database.write() as connection:
        await alerts.raise_alert(connection, "breaker", "google.com", "tar inte emot", NOW)
        await reports.add(
            connection, [NewReport(NOW, "", ("b+x@retur.example",), "192.0.2.1", b"Subject: hej\r\n\r\n")]
        )


async def test_a_stranger_is_sent_to_the_login(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world) as stranger:
        for page in PAGES:
            if page.access in (Access.PUBLIC, Access.LINK):
                continue
            answer = await _ask(stranger, page, _path(world, page, club))
            assert answer.status_code == 303, page.path
            assert answer.headers["Location"].startswith("/logga-in?till=")


async def test_another_association_looks_like_none_at_all(world: World) -> None:
    club, other = await world.club("Sjövik"), await world.club("Bergby")
    async with visitor(world, other.user_email) as secretary:
        for page in _with(Access.ASSOCIATION):
            path = _path(world, page, club)
            foreign = await _ask(secretary, page, path)
            unknown = await _ask(secretary, page, path.replace(f"/f/{club.slug}/", "/f/finns-inte/"))
            assert foreign.status_code == unknown.status_code == 404, page.path
            assert foreign.text == unknown.text


async def test_another_associations_number_under_ones_own_looks_like_none_at_all(world: World) -> None:
    club, other = await world.club("Sjövik"), await world.club("Bergby")
    async with visitor(world, other.user_email) as secretary:
        for page in _with(Access.ASSOCIATION):
            if ":number" not in page.path:
                continue
            path = _path(world, page, club).replace(f"/f/{club.slug}/", f"/f/{other.slug}/")
            foreign = await _ask(secretary, page, path)
            unknown = await _ask(secretary, page, re.sub(r"/\d+", f"/{_UNKNOWN}", path))
            assert foreign.status_code == unknown.status_code == 404, page.path
            assert foreign.text == unknown.text


async def test_a_secretary_does_not_run_the_installation(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as secretary:
        for page in _with(Access.OPERATOR):
            assert (await _ask(secretary, page, _path(world, page, club))).status_code == 403, page.path


async def test_every_page_opens_for_whom_it_is_for(world_on_both: World) -> None:
    world = world_on_both
    await _prepare(world)
    club, operator = await world.club("Sjövik"), await world.operator()
    for email in (club.user_email, operator):
        async with visitor(world, email) as one:
            for page in PAGES:
                if page.changes or (page.access is Access.OPERATOR and email != operator):
                    continue
                answer = await one.open(_path(world, page, club))
                assert answer.status_code in (200, 303), f"{page.path}: {answer.status_code}"


async def test_no_form_works_without_the_secret_of_its_session(world: World) -> None:
    club, operator = await world.club("Sjövik"), await world.operator()
    async with visitor(world, operator) as one:
        for page in PAGES:
            if not page.changes or page.access is Access.LINK:
                continue
            for secret in ("", "fel", "å"):
                answer = await one.browser.post(_path(world, page, club), data={"csrf": secret})
                assert answer.status_code == 403, page.path


def _with(access: Access) -> list[Page]:
    return [page for page in PAGES if page.access is access]
