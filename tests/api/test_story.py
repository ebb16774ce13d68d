"""The main job by API alone, as the README tells it."""

from __future__ import annotations

from engine.return_path import Purpose
from tests.api.world import World


async def test_from_an_empty_installation_to_a_members_history(world_on_both: World) -> None:
    world = world_on_both
    async with world.program(await world.installation_key()) as program:
        made = (await program.post("/associations", json={"name": "Sjövik"})).json()
        here = f"/associations/{made['id']}"
        office = (await program.post(f"{here}/offices", json={"name": "Kansliet"})).json()
        user = (await program.post(f"{here}/users", json={"name": "Siv", "email": "siv@sjovik.example"})).json()
        register = "Förnamn,Efternamn,E-post\nIda,Idunsson,ida@example.org\nMattias,Medlemsson,mattias@example.org\n"
        await program.post(f"{here}/imports", content=register.encode())
        sender = {"user_id": user["id"], "office_id": office["id"]}

        asked = (await program.post(f"{here}/confirmation-requests", json=sender)).json()
        assert asked["queued"] == 2
        requests = (await program.get(f"{here}/mailings/{asked['mailing_id']}/messages")).json()["items"]
        async with world.browser() as member:
            assert (await member.post(world.link(Purpose.CONFIRM, requests[0]["id"]))).status_code == 200

        letter = {"subject": "Hej %FIRST_NAME%", "body": "Välkommen, %NAME%!"}
        draft = (await program.post(f"{here}/mailings", json=sender | letter)).json()
        ida = requests[0]["card_id"]
        seen = (await program.get(f"{here}/mailings/{draft['id']}/preview", params={"card_id": ida})).json()
        assert seen["subject"] == "Hej Ida"
        assert "Ida Idunsson" in seen["text"]
        sent = (await program.post(f"{here}/mailings/{draft['id']}/send", json={})).json()
        assert (sent["queued"], sent["skipped"]) == (1, {"requested": 1})

        followed = (await program.get(f"{here}/mailings/{draft['id']}")).json()
        assert followed["counts"] == {"queued": 1}
        (message,) = (await program.get(f"{here}/mailings/{draft['id']}/messages")).json()["items"]
        story = (await program.get(f"{here}/messages/{message['id']}")).json()
        assert [(event["old"], event["new"]) for event in story["events"]] == [("none", "queued")]


async def test_a_mailing_to_nobody_confirmed_says_what_to_do(world: World) -> None:
    club = await world.club("Sjövik")
    nobody = {"filter": {"conditions": [{"column": "first_name", "operator": "equals", "value": "Una"}]}}
    async with world.program(club.key) as program:
        path = f"/associations/{club.association_id}/mailings/{club.draft_id}"
        answer = await program.post(f"{path}/send", json=nobody)
        assert answer.status_code == 409
        assert "confirmation request" in answer.json()["detail"]
        assert (await program.get(path)).json()["state"] == "draft"
