"""Cards, views and imports by API."""

from __future__ import annotations

import io
import json

import openpyxl

from tests.api.world import Club, World


def _cards(club: Club, rest: str = "") -> str:
    return f"/associations/{club.association_id}/cards{rest}"


async def test_a_card_is_changed_only_as_it_was_read(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.program(club.key) as program:
        path = _cards(club, f"/{club.card_id}")
        tag = (await program.get(path)).headers["ETag"]
        assert (await program.patch(path, json={"notes": "x"})).status_code == 428
        assert (await program.patch(path, json={"notes": "x"}, headers={"If-Match": tag})).status_code == 200
        stale = await program.patch(path, json={"notes": "y"}, headers={"If-Match": tag})
        assert stale.status_code == 412
        assert "read it again" in stale.json()["detail"]


async def test_a_new_address_has_to_be_confirmed_anew(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.program(club.key) as program:
        path = _cards(club, f"/{club.card_id}")
        assert (await program.get(path)).json()["status"] == "confirmed"
        changed = await program.patch(path, json={"email": "ida@ny.example"}, headers={"If-Match": "*"})
        assert changed.json()["status"] == "unconfirmed"


async def test_cards_are_found_by_filter_and_by_view(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.program(club.key) as program:
        condition = [{"column": "status", "operator": "equals", "value": "confirmed"}]
        found = await program.get(_cards(club), params={"filter": json.dumps(condition)})
        assert [card["first_name"] for card in found.json()["items"]] == ["Ida"]
        assert (await program.get(_cards(club), params={"view": club.view_id})).json()["total"] == 4
        assert (await program.get(_cards(club), params={"filter": "{"})).status_code == 422
        unknown = [{"column": "skostorlek", "operator": "equals", "value": "43"}]
        assert (await program.get(_cards(club), params={"filter": json.dumps(unknown)})).status_code == 422


async def test_an_import_tells_of_every_row(world: World) -> None:
    club = await world.club("Sjövik")
    rows = ("Förnamn;Efternamn;E-post", "Ada;Alm;ada@hotmial.com", "Ove;Ost;ingen adress", "Ada;Alm;ada@hotmial.com")
    register = "\ufeff" + "\r\n".join(rows)
    async with world.program(club.key) as program:
        path = f"/associations/{club.association_id}/imports"
        report = (await program.post(path, content=register.encode())).json()
        assert [row["row_number"] for row in report["rows"]] == [2, 3, 4]
        assert report["rows"][0]["findings"][0]["suggestion"] == "ada@hotmail.com"
        assert report["counts"]["bad_address"] == 1
        workbook = openpyxl.Workbook()
        assert workbook.active is not None
        workbook.active.append(["Förnamn", "Efternamn", "E-post"])
        workbook.active.append(["Eva", "Ek", "eva@example.org"])
        as_bytes = io.BytesIO()
        workbook.save(as_bytes)
        assert (await program.post(path, content=as_bytes.getvalue())).json()["counts"] == {"added": 1}


async def test_a_file_that_is_no_register_is_refused(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.program(club.key) as program:
        for upload in (b"", b"PK\x03\x04 not a workbook", b"\0\1\2\3"):
            answer = await program.post(f"/associations/{club.association_id}/imports", content=upload)
            assert answer.status_code == 422


async def test_lists_come_in_pages(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.program(club.key) as program:
        path = f"/associations/{club.association_id}/mailings"
        seen, after = [], ""
        while True:
            page = (await program.get(path, params={"limit": 1, "after": after})).json()
            seen += [row["id"] for row in page["items"]]
            after = page["next"]
            if after is None:
                break
        assert seen == sorted(seen, reverse=True)
        assert len(seen) == 3
        assert (await program.get(path, params={"after": "å"})).status_code == 422
        assert (await program.get(path, params={"limit": 0})).status_code == 422
