"""`Idempotency-Key`: what is sent twice is done once."""

from __future__ import annotations

import hashlib

from engine.store import api_keys, history, idempotency
from engine.store.idempotency import Ticket
from tests.api.world import NOW, Club, World

_KEY = {"Idempotency-Key": "utskick-2026-03"}


def _send(club: Club, mailing_id: int | None = None) -> str:
    return f"/associations/{club.association_id}/mailings/{mailing_id or club.draft_id}/send"


async def test_the_same_request_is_answered_alike_and_sends_once(world_on_both: World) -> None:
    world = world_on_both
    club = await world.club("Sjövik")
    async with world.program(club.key) as program:
        first = await program.post(_send(club), json={}, headers=_KEY)
        second = await program.post(_send(club), json={}, headers=_KEY)
        third = await program.post(_send(club), json={})
    assert (first.status_code, second.status_code, third.status_code) == (202, 202, 409)
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    async with world.database.read() as connection:
        assert len(await history.messages(connection, club.draft_id)) == 1


async def test_a_key_used_for_another_request_is_refused(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.program(club.key) as program:
        await program.post(_send(club), json={}, headers=_KEY)
        other_body = await program.post(_send(club), json={"view_id": club.view_id}, headers=_KEY)
        other_path = await program.post(_send(club, club.mailing_id), json={}, headers=_KEY)
    assert (other_body.status_code, other_path.status_code) == (422, 422)


async def test_two_callers_may_use_the_same_key(world: World) -> None:
    club, other = await world.club("Sjövik"), await world.club("Bergby")
    for each in (club, other):
        async with world.program(each.key) as program:
            assert (await program.post(_send(each), json={}, headers=_KEY)).status_code == 202


async def test_while_the_first_is_under_way_the_second_waits_outside(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.program(club.key) as program:
        refused = await program.post(_send(club), json={"view_id": 999_999}, headers=_KEY)
        assert refused.status_code == 422
        request = program.build_request("POST", _send(club), json={}, headers=_KEY)
        await _begin_as_if_by_a_twin(world, request.content, _send(club))
        answer = await program.send(request)
        assert answer.status_code == 409
        world.clock.leap(idempotency.STALE.total_seconds())
        assert (await program.post(_send(club), json={}, headers=_KEY)).status_code == 202


async def test_a_key_must_be_something(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.program(club.key) as program:
        for key in ("", "x" * 201):
            answer = await program.post(_send(club), json={}, headers={"Idempotency-Key": key})
            assert answer.status_code == 400


async def test_a_new_api_key_is_never_kept_with_its_token(world: World) -> None:
    async with world.program(await world.installation_key()) as program:
        answers = [await program.post("/api-keys", json={"name": "p"}, headers=_KEY) for _ in range(2)]
    assert answers[0].json()["token"] != answers[1].json()["token"]


async def _begin_as_if_by_a_twin(world: World, body: bytes, path: str) -> None:
    said = f"POST /api/v1{path}?\n".encode() + body
    async with world.database.write() as connection:
        ticket = Ticket(await _caller(world), _KEY["Idempotency-Key"], hashlib.sha256(said).hexdigest(), NOW)
        await idempotency.begin(connection, ticket)


async def _caller(world: World) -> str:
    async with world.database.read() as connection:
        return f"key {(await api_keys.listing(connection))[0].id}"
