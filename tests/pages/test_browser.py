"""The whole way in a real browser, as a secretary and then a member walk it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Page, async_playwright

from config.vocabulary import AddressStatus
from engine.return_path import Purpose
from engine.store import cards, history
from tests.api.world import PASSWORD, World
from tests.conftest import not_run
from tests.pages.town import SECRETARY, Town, build_town

_CHROMIUM = shutil.which("chromium")


@pytest.mark.browser
async def test_from_the_register_to_a_members_answer(world: World) -> None:
    town = await build_town(world)
    async with serving(world) as address, browsing(address) as page:
        await _log_in(page)
        await _look_at_the_register(page, town)
        mailing_id = await _send_a_mailing(page)
        await _follow(page, town, mailing_id)
        await _confirm_as_a_member(world, page, town)


async def _log_in(page: Page) -> None:
    await page.goto("/")
    await _picture(page, "login")
    await page.get_by_label("E-postadress").fill(SECRETARY)
    await page.get_by_label("Lösenord").fill(PASSWORD)
    await page.get_by_role("button", name="Logga in").click()
    await page.get_by_role("heading", name="Medlemslista").wait_for()


async def _look_at_the_register(page: Page, town: Town) -> None:
    await _picture(page, "register")
    await page.get_by_text("Kolumner och filter").click()
    await page.get_by_label("Kolumn").first.select_option("last_name")
    await page.get_by_label("Värde").first.fill("Idun")
    await _picture(page, "filter")
    await page.get_by_role("button", name="Visa").click()
    await page.get_by_role("row").filter(has_text="ida.idunsson@").get_by_role("link").click()
    await page.get_by_role("heading", name="Ida Idunsson").wait_for()
    await _picture(page, "card")
    await page.goto(f"/f/{town.slug}/import")
    await page.get_by_label("Fil").set_input_files(
        {
            "name": "nya.csv",
            "mimeType": "text/csv",
            "buffer": "Förnamn;Efternamn;E-post;Ort\nAda;Alm;ada.alm@hotmial.com;Umeå\nOve;Ost;ingen adress;Vännäs\n"
            "Eva;Ek;eva.ek@exempel.se;Umeå\n".encode(),
        }
    )
    await page.get_by_role("button", name="Importera").click()
    await page.get_by_text("Rader att se över").wait_for()
    await _picture(page, "import")
    await page.goto(f"/f/{town.slug}/medlemslista")


async def _send_a_mailing(page: Page) -> int:
    await page.get_by_role("link", name="Bor i Umeå").click()
    await page.get_by_role("link", name="Nytt medlemsutskick").click()
    await page.get_by_label("Ämne").fill("Städdag i hembygdsgården, %FIRST_NAME%")
    await page.get_by_label("Meddelande").fill(
        "# Städdag\n\nHej %NAME%!\n\nVi ses på **lördag klockan 10**. Ta gärna med:\n\n- en kratta\n- fika\n\n"
        "Läs mer på [hembygdsgårdens sida](https://sjoviken.example).\n\nVarmt välkommen!"
    )
    await _picture(page, "write")
    await page.get_by_role("button", name="Förhandsgranska").click()
    letter = page.frame_locator("iframe")
    await letter.get_by_text("lördag klockan 10").wait_for()
    await _picture(page, "preview")
    await page.get_by_role("button", name="Skicka e-post").click()
    await page.get_by_text("lagt i kö").wait_for()
    await _picture(page, "queued")
    found = re.search(r"/utskick/(\d+)", page.url)
    assert found
    return int(found[1])


async def _follow(page: Page, town: Town, mailing_id: int) -> None:
    await page.get_by_role("link", name="Medlemsutskick", exact=True).click()
    await page.get_by_role("link", name="Städdag i hembygdsgården").wait_for()
    await _picture(page, "mailings")
    assert mailing_id != town.mailing_id
    await page.goto(f"/f/{town.slug}/utskick/{town.mailing_id}")
    await _picture(page, "mailing")
    await page.goto(f"/f/{town.slug}/utskick/{town.mailing_id}/varfor/{town.ida_id}")
    await page.get_by_role("heading", name="Varför fick inte Ida det?").wait_for()
    await page.get_by_text("over quota").wait_for()
    await _picture(page, "why")


async def _confirm_as_a_member(world: World, page: Page, town: Town) -> None:
    request, card_id = await _unanswered(world)
    await page.goto(world.link(Purpose.CONFIRM, request))
    await _picture(page, "confirm")
    await page.get_by_role("button", name="Ja, bekräfta adressen").click()
    await page.get_by_role("heading", name="Tack!").wait_for()
    async with world.database.read() as connection:
        assert (await cards.get(connection, 1, card_id)).status is AddressStatus.CONFIRMED


async def _unanswered(world: World) -> tuple[int, int]:
    """A confirmation request that nobody has answered, and whose card it is about."""
    async with world.database.read() as connection:
        request = (await history.mailings(connection, 1))[-1]
        for message in await history.messages(connection, request.id):
            if (await cards.get(connection, 1, message.card_id)).status is AddressStatus.REQUESTED:
                return message.id, message.card_id
    raise AssertionError("everybody has answered")


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[str]:
    """The application on a port of loopback that the system chooses."""
    server = uvicorn.Server(uvicorn.Config(world.app, log_level="warning", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        task = asyncio.create_task(server.serve(sockets=[listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await task


@asynccontextmanager
async def browsing(address: str) -> AsyncIterator[Page]:
    """A browser that runs no script: the pages do without."""
    if _CHROMIUM is None:
        not_run("chromium is not installed: the pages were not walked (apt-get install chromium)")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        context = await chromium.new_context(
            base_url=address, java_script_enabled=False, viewport={"width": 1200, "height": 860}, locale="sv-SE"
        )
        page = await context.new_page()
        page.set_default_timeout(10_000)
        yield page
        await chromium.close()


async def _picture(page: Page, name: str) -> None:
    """Keep a picture where BREVDUVA_PICTURES names a folder for them."""
    if folder := os.environ.get("BREVDUVA_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png")
