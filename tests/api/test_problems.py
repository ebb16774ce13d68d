"""What a wrong request is told: which field, and the cure (RFC 9457)."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from admin_api.bodies import SMALL_BODY_BYTES
from tests.api.world import World


def _problem(answer: httpx.Response, status: int) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "errors"}
    assert problem["status"] == status
    assert isinstance(problem, dict)
    return problem


async def test_every_wrong_field_is_named_at_once(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.program(club.key) as program:
        body = {"user_id": "en", "offce_id": 1, "subject": "Hej\r\nBcc: alla@example.org", "body": "Hej\0"}
        answer = await program.post(f"/associations/{club.association_id}/mailings", json=body)
    problem = _problem(answer, 422)
    assert isinstance(problem["errors"], list)
    named = {error["pointer"]: error["detail"] for error in problem["errors"]}
    assert set(named) == {"/user_id", "/office_id", "/offce_id", "/subject", "/body"}
    assert 'did you mean "office_id"?' in named["/offce_id"]
    assert "give it" in named["/office_id"]


@pytest.mark.parametrize("field", ["office_id", "user_id", "view_id"])
async def test_a_number_in_a_body_that_is_not_ones_own_is_named_with_its_cure(world: World, field: str) -> None:
    club, other = await world.club("Sjövik"), await world.club("Bergby")
    told = []
    async with world.program(club.key) as program:
        for number in (getattr(other, field), 987_654):
            body = {"office_id": club.office_id, "user_id": club.user_id, field: number}
            answer = await program.post(f"/associations/{club.association_id}/confirmation-requests", json=body)
            told.append(_problem(answer, 422)["errors"])
    assert told[0] == told[1]
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]
    assert "give" in answer.json()["detail"]


async def test_an_own_column_that_is_none_is_named_where_it_stands(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.program(club.key) as program:
        answer = await program.post(f"/associations/{club.association_id}/cards", json={"fields": {"Hund/år": "1"}})
    _problem(answer, 422)
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/fields/Hund~1år"]


async def test_a_number_in_a_query_is_named_too(world: World) -> None:
    club, other = await world.club("Sjövik"), await world.club("Bergby")
    here = f"/associations/{club.association_id}"
    async with world.program(club.key) as program:
        for path in (f"/cards?view={other.view_id}", f"/mailings/{club.draft_id}/preview?card_id={other.card_id}"):
            assert _problem(await program.get(here + path), 422)["errors"]


async def test_a_bad_address_is_told_its_cure(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.program(club.key) as program:
        answer = await program.post(f"/associations/{club.association_id}/cards", json={"email": "ida snabela example"})
    problem = _problem(answer, 422)
    assert problem["errors"] == [{"pointer": "/email", "detail": problem["detail"]}]
    assert "name@example.org" in str(problem["detail"])


@pytest.mark.parametrize(
    "body", [b"{", b"[" * 100_000, b'{"name": "\xff"}', b'{"name": "\\ud800"}', b"null", b"[]", b"1"]
)
async def test_what_is_no_json_object_is_refused_whatever_it_calls_itself(world: World, body: bytes) -> None:
    async with world.program(await world.installation_key()) as program:
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            answer = await program.post("/associations", content=body, headers={"Content-Type": kind})
            _problem(answer, 422 if body in (b"null", b"[]", b"1") else 400)


async def test_json_is_read_whatever_its_content_type(world: World) -> None:
    async with world.program(await world.installation_key()) as program:
        answer = await program.post("/associations", content=b'{"name": "Ny"}', headers={"Content-Type": "text/plain"})
    assert answer.status_code == 201


async def test_a_body_that_is_too_big_is_refused_with_or_without_its_length(world: World) -> None:
    async def drip() -> AsyncIterator[bytes]:
        for _ in range(SMALL_BODY_BYTES // 65_536 + 1):
            yield b" " * 65_536

    async with world.program(await world.installation_key()) as program:
        _problem(await program.post("/associations", content=b" " * (SMALL_BODY_BYTES + 1)), 413)
        _problem(await program.post("/associations", content=drip()), 413)


async def test_a_compressed_body_is_refused_unopened(world: World) -> None:
    async with world.program(await world.installation_key()) as program:
        bomb = gzip.compress(b" " * 10_000_000)
        answer = await program.post("/associations", content=bomb, headers={"Content-Encoding": "gzip"})
    _problem(answer, 415)


async def test_unknown_paths_and_methods_are_problems_too(world: World) -> None:
    async with world.program() as program:
        _problem(await program.get("/nothing"), 404)
        _problem(await program.put("/associations", json={}), 405)
        _problem(await program.get("/associations/99999999999999999999999"), 404)


async def test_a_full_disk_is_507_and_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    key = await world.installation_key()
    await _break_writes(world, monkeypatch, sqlite3.OperationalError("database or disk is full"))
    async with world.program(key) as program:
        _problem(await program.post("/associations", json={"name": "Ny"}), 507)


async def test_an_accident_tells_nothing_of_its_inside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    key = await world.installation_key()
    await _break_writes(world, monkeypatch, RuntimeError("SELECT hemligt FROM user"))
    async with world.program(key) as program:
        answer = await program.post("/associations", json={"name": "Ny"})
    assert "hemligt" not in str(_problem(answer, 500))


async def _break_writes(world: World, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        raise error
        yield

    monkeypatch.setattr(world.database, "write", broken)
