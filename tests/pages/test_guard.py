"""What every answer carries and every request must fulfil."""

from __future__ import annotations

import pytest

from tests.api.world import World
from tests.pages.visitor import visitor


async def test_every_answer_carries_the_protective_headers(world: World) -> None:
    club = await world.club("Sjövik")
    paths = [
        "/logga-in",
        f"/f/{club.slug}/medlemslista",
        "/finns-inte",
        "/api/v1/sites",
        "/static/brevduva.css",
        "/c/x",
    ]
    async with visitor(world, club.user_email) as one:
        for path in paths:
            headers = (await one.open(path)).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert headers["Cache-Control"] == ("max-age=3600" if path.startswith("/static/") else "no-store")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1@evil.example", "[evil]"])
async def test_another_host_is_refused(world: World, host: str) -> None:
    async with world.browser() as browser:
        assert (await browser.get("/logga-in", headers={"Host": host})).status_code == 421
        assert (await browser.get("/healthz", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9000", "[::1]:8080"])
async def test_a_service_on_loopback_answers_to_its_names(world: World, host: str) -> None:
    async with world.browser() as browser:
        assert (await browser.get("/logga-in", headers={"Host": host})).status_code == 200


async def test_links_never_come_from_the_request(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one:
        path = f"/f/{club.slug}/utskick/{club.draft_id}/brev/{club.card_id}"
        one.browser.headers["X-Forwarded-Host"] = "evil.example"
        assert "evil.example" not in (await one.open(path)).text


async def test_health_is_told_to_whoever_asks(world: World) -> None:
    await world.club("Sjövik")
    async with world.browser() as browser:
        assert (await browser.get("/healthz")).text == "ok\n"
        assert (await browser.get("/readyz")).json() == {"ready": True, "database": "ok"}
        figures = (await browser.get("/metrics")).text
    assert 'brevduva_messages{status="queued"} 3.0' in figures
    assert "brevduva_http_seconds_bucket" in figures
    assert "Sjövik" not in figures


async def test_without_a_database_the_service_lives_but_is_not_ready(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.database, "read", lambda: (_ for _ in ()).throw(OSError()))
    async with world.browser() as browser:
        assert (await browser.get("/healthz")).status_code == 200
        assert (await browser.get("/readyz")).status_code == 503


async def test_an_unknown_page_is_said_in_swedish(world: World) -> None:
    async with world.browser() as browser:
        answer = await browser.get("/finns-inte")
    assert answer.status_code == 404
    assert "Sidan finns inte" in answer.text
