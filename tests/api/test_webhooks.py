"""Webhooks by API: the secret is shown once, a test tells what came of it, and lets a paused one go on."""

from __future__ import annotations

from dataclasses import replace

from admin_api.webhooks import Post
from engine.store import webhooks
from tests.api.world import World
from tests.fakes.hook import listening, proves


async def test_a_webhook_is_made_tried_listed_and_removed(world_on_both: World) -> None:
    world = world_on_both
    club = await world.club("Sjövik")
    path = f"/associations/{club.association_id}/webhooks"
    async with world.program(club.key) as program, listening() as hook:
        made = (await program.post(path, json={"url": hook.url})).json()
        assert (await program.post(f"{path}/{made['id']}/test")).json() == {"taken": True, "why": ""}
        ((headers, body),) = hook.posts
        assert proves(made["secret"], headers, body)
        assert hook.events[0]["kind"] == "ping"
        Post.model_validate_json(body)
        listed = (await program.get(path)).json()["items"]
        assert listed[-1] == {name: value for name, value in made.items() if name != "secret"}
        assert listed[-1]["waiting"] == 0
        assert (await program.delete(f"{path}/{made['id']}")).status_code == 204
        assert made["id"] not in [one["id"] for one in (await program.get(path)).json()["items"]]


async def test_what_is_not_told_yet_is_counted(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.database.write() as connection:
        hook = await webhooks.get(connection, club.association_id, club.webhook_id)
        await webhooks.save(connection, hook, replace(hook, told_event_id=0))
    async with world.program(club.key) as program:
        (shown,) = (await program.get(f"/associations/{club.association_id}/webhooks")).json()["items"]
    assert shown["waiting"] > 0


async def test_a_test_says_why_it_was_not_taken(world: World) -> None:
    club = await world.club("Sjövik")
    path = f"/associations/{club.association_id}/webhooks"
    async with world.program(club.key) as program, listening(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n") as hook:
        made = (await program.post(path, json={"url": hook.url})).json()
        answer = (await program.post(f"{path}/{made['id']}/test")).json()
        assert answer == {"taken": False, "why": "410"}


async def test_a_test_that_is_taken_lets_a_paused_webhook_go_on(world_on_both: World) -> None:
    world = world_on_both
    club = await world.club("Sjövik")
    path = f"/associations/{club.association_id}/webhooks"
    async with world.program(club.key) as program, listening() as hook:
        made = (await program.post(path, json={"url": hook.url})).json()
        async with world.database.write() as connection:
            one = await webhooks.get(connection, club.association_id, made["id"])
            await webhooks.save(connection, one, replace(one, next_attempt_at=None, failures=28, why="503"))
        await program.post(f"{path}/{made['id']}/test")
        shown = (await program.get(path)).json()["items"][-1]
    assert (shown["failures"], shown["why"]) == (0, "")
    assert shown["next_attempt_at"] is not None


async def test_there_are_not_too_many(world: World) -> None:
    club = await world.club("Sjövik")
    path = f"/associations/{club.association_id}/webhooks"
    async with world.program(club.key) as program:
        answers = [(await program.post(path, json={"url": "https://example.org/"})).status_code for _ in range(11)]
    assert answers == [201] * 9 + [409] * 2


async def test_an_address_without_https_names_its_field(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.program(club.key) as program:
        answer = await program.post(f"/associations/{club.association_id}/webhooks", json={"url": "ftp://example.org/"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/url"
