"""The pages behind the links in a member's mail."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import func, select

from config.vocabulary import AddressStatus, MessageStatus
from engine.register import cards
from engine.return_path import Purpose, sign
from engine.store import history
from engine.store.tables import metadata
from tests.api.world import Club, World

_ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def _status(world: World, club: Club, card_id: int) -> AddressStatus:
    async with world.database.read() as connection:
        return (await cards.get(connection, club.association_id, card_id)).status


async def _everything(world: World) -> Sequence[object]:
    """How many rows there are of everything, and how the cards and messages stand."""
    async with world.database.read() as connection:
        sizes = [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in metadata.sorted_tables
        ]
        card, message = metadata.tables["card"], metadata.tables["message"]
        states = [(await connection.execute(select(table.c.id, table.c.status))).all() for table in (card, message)]
        return [sizes, states]


async def test_a_thousand_scanner_visits_change_nothing(world: World) -> None:
    club = await world.club("Sjövik")
    links = [world.link(Purpose.CONFIRM, club.request_id), world.link(Purpose.UNSUBSCRIBE, club.message_id)]
    before = await _everything(world)
    async with world.browser() as scanner:
        for number in range(1_000):
            method = "HEAD" if number % 3 == 0 else "GET"
            headers = {"Sec-Purpose": "prefetch"} if number % 5 == 0 else {}
            assert (await scanner.request(method, links[number % 2], headers=headers)).status_code == 200
    assert await _everything(world) == before


async def test_a_members_click_confirms_once(world_on_both: World) -> None:
    world = world_on_both
    club = await world.club("Sjövik")
    link = world.link(Purpose.CONFIRM, club.request_id)
    async with world.browser() as member:
        assert "Bekräfta din e-postadress" in (await member.get(link)).text
        assert "är nu bekräftad" in (await member.post(link)).text
        assert "är redan bekräftad" in (await member.post(link)).text


async def test_a_link_of_an_address_that_changed_confirms_nothing(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.database.write() as connection:
        asked = await history.one_message(connection, club.association_id, club.request_id)
        values = {"email": "ny@example.org"}
        await cards.update(connection, club.association_id, asked.card_id, values, world.clock.now())
    async with world.browser() as member:
        assert "gäller inte längre" in (await member.post(world.link(Purpose.CONFIRM, club.request_id))).text
    assert await _status(world, club, asked.card_id) is AddressStatus.UNCONFIRMED


@pytest.mark.parametrize("form", [_ONE_CLICK, None])
async def test_unsubscribing_takes_effect_at_once(world_on_both: World, form: dict[str, str] | None) -> None:
    world = world_on_both
    club = await world.club("Sjövik")
    async with world.browser() as member:
        answer = await member.post(world.link(Purpose.UNSUBSCRIBE, club.message_id), data=form)
        assert answer.status_code == 200
        assert "inga fler utskick" in answer.text
        assert (await member.post(world.link(Purpose.UNSUBSCRIBE, club.message_id))).status_code == 200
    assert await _status(world, club, club.card_id) is AddressStatus.PROBLEM_UNSUBSCRIBED
    async with world.database.read() as connection:
        message = await history.one_message(connection, club.association_id, club.message_id)
    assert message.status is MessageStatus.UNSUBSCRIBED


async def test_a_token_is_good_for_one_purpose_and_one_message(world: World) -> None:
    club = await world.club("Sjövik")
    confirm = sign(world.keys.ring, Purpose.CONFIRM, club.request_id)
    number, _, mac = confirm.partition(".")
    before = await _everything(world)
    async with world.browser() as member:
        for link in (
            f"/u/{confirm}",
            f"/c/{sign(world.keys.ring, Purpose.UNSUBSCRIBE, club.request_id)}",
            f"/c/{sign(world.keys.ring, Purpose.BOUNCE, club.request_id)}",
            f"/c/{sign(world.keys.ring, Purpose.CONFIRM, 999_999)}",
            f"/c/{number}.{mac[:-1]}",
            f"/c/b{number}.{mac}",
            "/c/x",
        ):
            assert (await member.get(link)).status_code == 404
            assert (await member.post(link)).status_code == 404
    assert await _everything(world) == before
