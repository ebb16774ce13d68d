"""What a secretary does: list, card, import, mailing, history."""

from __future__ import annotations

import csv
import io
import re

from config.vocabulary import AddressStatus, MailingState, MessageStatus
from engine.register import cards
from engine.store import history
from tests.api.world import NOW, World
from tests.pages.visitor import visitor


async def test_the_list_is_filtered_sorted_and_saved_as_a_view(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one:
        here = f"/f/{club.slug}"
        query = "column=status&operator=equals&value=Bekräftad&sort=-first_name&show=first_name&show=Ort"
        found = await one.open(f"{here}/medlemslista?{query}")
        assert ">Ida<" in found.text
        assert ">Mattias<" not in found.text
        assert 'aria-sort="descending"' in found.text
        form = {"column": "first_name", "operator": "starts_with", "value": "Ma", "show": "first_name", "name": "Ma"}
        answer = await one.send(f"{here}/vyer", form)
        view = await one.open(answer.headers["Location"])
        assert "Vyn är sparad" in view.text
        assert ">Mattias<" in view.text
        assert ">Ida<" not in view.text
        twin = await one.send(f"{here}/vyer", form)
        assert twin.status_code == 422
        assert "Det finns redan en vy som heter så" in twin.text


async def test_an_address_that_is_changed_is_confirmed_anew(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one:
        path = f"/f/{club.slug}/kort/{club.card_id}"
        version = re.search(r'name="version" value="(\d+)"', (await one.open(path)).text)
        assert version
        form = {"first_name": "Ida", "email": "ida@ny.example", "version": version[1], "own.0": "Luleå"}
        answer = await one.send(path, form)
        assert "nollställd" in (await one.open(answer.headers["Location"])).text
        stale = await one.send(path, form)
        assert stale.status_code == 422
        assert "Någon annan har ändrat" in stale.text
    async with world.database.read() as connection:
        card = await cards.get(connection, club.association_id, club.card_id)
    assert (card.status, card.fields["Ort"]) == (AddressStatus.UNCONFIRMED, "Luleå")


async def test_a_refused_form_keeps_what_was_written(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one:
        form = {"first_name": "Åke", "email": "åke vid sjön"}
        answer = await one.send(f"/f/{club.slug}/kort/nytt", form)
        assert answer.status_code == 422
        assert 'value="Åke"' in answer.text
        assert 'value="åke vid sjön" aria-invalid="true"' in answer.text


async def test_an_import_says_which_rows_to_look_at(world: World) -> None:
    club = await world.club("Sjövik")
    register = "Förnamn;E-post;Hund\nAda;ada@hotmial.com;Karo\n".encode()
    async with visitor(world, club.user_email) as one:
        path = f"/f/{club.slug}/import"
        await one.open(path)
        answer = await one.send(path, files={"file": ("m.csv", register, "text/csv")})
        assert "ada@hotmail.com" in answer.text
        assert "Nya kolumner: Hund" in answer.text
        refused = await one.send(path, files={"file": ("m.xlsx", b"PK\x03\x04", "application/zip")})
        assert refused.status_code == 422


async def test_a_mailing_is_written_previewed_and_sent(world_on_both: World) -> None:
    world = world_on_both
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one:
        here = f"/f/{club.slug}"
        await one.open(f"{here}/utskick/nytt")
        form = {"office": str(club.office_id), "subject": "Hej %FIRST_NAME%", "body": "Kom, %NAME%!", "format": "plain"}
        written = await one.send(f"{here}/utskick/nytt", form)
        preview = await one.open(written.headers["Location"])
        assert "Hej Ida" in preview.text
        assert "Obekräftad 2" in preview.text
        path = written.headers["Location"].partition("/forhandsgranska")[0]
        sent = await one.send(f"{path}/skicka")
        shown = await one.open(sent.headers["Location"])
        assert "lagt i kö" in shown.text
        assert "I kö 1" in shown.text
        again = await one.send(f"{path}/skicka")
        assert again.status_code == 303
        assert len(await _messages(world, int(path.rpartition("/")[2]))) == 1


async def test_a_view_without_a_confirmed_member_leads_to_the_request(world: World) -> None:
    club = await world.club("Sjövik")
    una = "column=first_name&operator=equals&value=Una"
    async with visitor(world, club.user_email) as one:
        here = f"/f/{club.slug}"
        led = await one.open(f"{here}/utskick/nytt?{una}")
        assert led.headers["Location"].startswith(f"{here}/bekraftelse?")
        page = await one.open(led.headers["Location"])
        assert "Vyn har ingen bekräftad mottagare" in page.text
        form = {"column": "first_name", "operator": "equals", "value": "Una"}
        refused = await one.send(f"{here}/utskick/{club.draft_id}/skicka", form)
        assert refused.headers["Location"].startswith(f"{here}/bekraftelse?")
        asked = await one.send(f"{here}/bekraftelse", form | {"office": str(club.office_id)})
        assert "Bekräftelseförfrågan är lagd i kö" in (await one.open(asked.headers["Location"])).text
    async with world.database.read() as connection:
        draft = await history.one_mailing(connection, club.association_id, club.draft_id)
        una_card = await cards.get(connection, club.association_id, club.unconfirmed_id)
    assert draft.state is MailingState.DRAFT
    assert una_card.status is AddressStatus.REQUESTED


async def test_a_mailing_is_paused_resumed_and_cancelled(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one:
        path = f"/f/{club.slug}/utskick/{club.mailing_id}"
        for deed, said in (("pausa", "pausat"), ("fortsatt", "fortsätter"), ("avbryt", "avbrutet")):
            answer = await one.send(f"{path}/{deed}")
            assert said in (await one.open(answer.headers["Location"])).text
    assert [row.status for row in await _messages(world, club.mailing_id)] == [MessageStatus.NONE]


async def test_no_formula_leaves_in_a_file(world: World) -> None:
    club = await world.club("Sjövik")
    formulas = ("=1+1", "+46 70", "-2", "@SUM(A1)", "\t=1")
    async with world.database.write() as connection:
        for formula in formulas:
            values = {"last_name": "Formel", "Ort": formula}
            await cards.create(connection, club.association_id, values, world.clock.now())
    async with visitor(world, club.user_email) as one:
        answer = await one.open(f"/f/{club.slug}/medlemslista.csv?column=last_name&operator=equals&value=Formel")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";"))
    assert len(rows) == len(formulas)
    assert all(row["Ort"].startswith("'") for row in rows)


async def test_the_file_is_headed_in_the_words_of_the_pages(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one:
        answer = await one.open(f"/f/{club.slug}/medlemslista.csv")
    first, *_ = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";")
    assert list(first)[:5] == ["Förnamn", "Efternamn", "E-post", "E-poststatus", "Anteckningar"]
    assert first["E-poststatus"] in {status.label for status in AddressStatus}


async def test_a_filter_leaves_the_columns_in_their_order(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one:
        page = await one.open(f"/f/{club.slug}/medlemslista?show=Ort&show=email")
    assert re.findall(r'name="show" value="(\w+)" checked', page.text) == ["Ort", "email"]


async def test_a_member_is_found_by_any_word_and_the_search_may_be_saved(world_on_both: World) -> None:
    world = world_on_both
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one:
        for word in ("ida idun", "IDA@", "idunsson"):
            found = await one.open(f"/f/{club.slug}/medlemslista?column=*&operator=contains&value={word}")
            assert ">Idunsson</a>" in found.text
            assert ">Medlemsson</a>" not in found.text
            assert f'value="{word}"' in found.text
        form = {"column": "*", "operator": "contains", "value": "ida", "name": "Ida"}
        view = await one.open((await one.send(f"/f/{club.slug}/vyer", form)).headers["Location"])
        assert "<strong>Namn, adress eller anteckning</strong> innehåller ”ida”" in view.text


async def test_a_mailing_is_taken_home_as_a_file(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one:
        answer = await one.open(f"/f/{club.slug}/utskick/{club.mailing_id}.csv")
    first, *_ = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";")
    assert (first["Förnamn"], first["Efternamn"], first["Status"]) == ("Ida", "Idunsson", "I kö")


async def test_the_hour_is_that_of_the_readers_time_zone(world: World) -> None:
    club = await world.club("Sjövik")
    settings = world.settings.model_copy(update={"web": world.settings.web.model_copy(update={"time_zone": "UTC"})})
    for one_settings, hour in ((world.settings, "10:00"), (settings, "09:00")):
        async with visitor(World(one_settings, world.database), club.user_email) as one:
            assert f"2 mars 2026 {hour}" in (await one.open(f"/f/{club.slug}/medlemsutskick")).text


async def test_a_page_beyond_the_last_shows_the_last(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one:
        answer = await one.open(f"/f/{club.slug}/medlemslista?page=999")
    assert "Registret är tomt" not in answer.text
    assert f'href="/f/{club.slug}/kort/{club.card_id}"' in answer.text


async def test_a_confirmed_member_is_found_for_the_preview_behind_a_hundred_others(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.database.write() as connection:
        for number in range(100):
            await cards.create(connection, club.association_id, {"last_name": f"A{number}", "Ort": "Vasa"}, NOW)
    async with visitor(world, club.user_email) as one:
        query = "match=any&column=Ort&operator=equals&value=Vasa&column=last_name&operator=equals&value=Idunsson"
        page = await one.open(f"/f/{club.slug}/utskick/{club.draft_id}/forhandsgranska?{query}")
    assert "Brevet som Ida Idunsson får det" in page.text


async def test_the_writer_is_told_which_view_the_mailing_goes_to(world: World) -> None:
    club = await world.club("Sjövik")
    async with visitor(world, club.user_email) as one:
        query = "column=Ort&operator=equals&value=%3Cb%3E&column=status&operator=equals&value=confirmed&match=any"
        answer = await one.open(f"/f/{club.slug}/bekraftelse?{query}")
        assert "<strong>Ort</strong> är ”&lt;b&gt;” eller <strong>E-poststatus</strong> är ”Bekräftad”" in answer.text
        assert "alla medlemmar i registret" in (await one.open(f"/f/{club.slug}/bekraftelse")).text


async def test_what_has_been_sent_is_read_and_not_changed(world: World) -> None:
    club = await world.club("Sjövik")
    path = f"/f/{club.slug}/utskick/{club.mailing_id}"
    async with visitor(world, club.user_email) as one:
        assert (await one.open(f"{path}/andra")).headers["Location"] == path
        assert (await one.open(f"/f/{club.slug}/utskick/{club.draft_id}/andra")).status_code == 200


async def _messages(world: World, mailing_id: int) -> list[history.MessageRow]:
    async with world.database.read() as connection:
        return await history.messages(connection, mailing_id)
