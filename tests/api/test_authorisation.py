"""Whose key opens what: every endpoint of the table, every sort of caller, own numbers and other people's."""

from __future__ import annotations

import httpx

from admin_api.app import API
from admin_api.endpoint import Access, Endpoint
from config.vocabulary import Fault, Reason
from engine.store import alerts, reports, sites
from engine.store.reports import NewReport
from engine.store.sites import SiteState
from tests.api.asking import BY_NAME, ask, name_of
from tests.api.world import NOW, Club, World

_SENT = ("mailings.pause", "mailings.resume", "mailings.cancel", "mailings.list_messages")
_IN_USE = ("associations.remove", "offices.remove")
_UNKNOWN = 999_999
_STOPPED = SiteState("open", Reason.BAD_REPUTATION, Fault.SENDER, "550 5.7.1 nej", 3, NOW, NOW)


def _numbers(endpoint: Endpoint, club: Club) -> dict[str, object]:
    """Numbers that the endpoint finds something under."""
    numbers = {**club.numbers(), "report_id": 1, "alert_id": 1, "key_id": 1, "name": "google.com"}
    return {**numbers, "mailing_id": club.mailing_id} if name_of(endpoint) in _SENT else numbers


def _with(access: Access) -> list[Endpoint]:
    return [endpoint for endpoint in API if endpoint.access is access]


def _published(endpoint: Endpoint) -> int:
    """What the endpoint answers when all is well; what is in use may not be removed."""
    if name_of(endpoint) in _IN_USE:
        return 409
    return endpoint.status if endpoint.answer else 204


def _words(answer: httpx.Response) -> object:
    """All of an answer that its asker sees."""
    return answer.status_code, answer.json()


async def test_without_a_good_key_nothing_opens(world: World) -> None:
    club = await world.club("Sjövik")
    for key in ("", "bvd_" + "a" * 43, "drift"):
        async with world.program(key) as program:
            for endpoint in API:
                answer = await ask(program, endpoint, club, _numbers(endpoint, club))
                assert answer.status_code == 401, name_of(endpoint)
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_an_associations_key_does_not_run_the_installation(world: World) -> None:
    club = await world.club("Sjövik")
    async with world.program(club.key) as program:
        for endpoint in _with(Access.INSTALLATION):
            for numbers in (_numbers(endpoint, club), dict.fromkeys(_numbers(endpoint, club), _UNKNOWN)):
                answer = await ask(program, endpoint, club, numbers)
                assert answer.status_code == 403, name_of(endpoint)


async def test_another_association_looks_like_none_at_all(world: World) -> None:
    club, other = await world.club("Sjövik"), await world.club("Bergby")
    async with world.program(other.key) as program:
        for endpoint in _with(Access.ASSOCIATION):
            numbers = _numbers(endpoint, club)
            foreign = await ask(program, endpoint, club, numbers)
            unknown = await ask(program, endpoint, club, numbers | {"association_id": _UNKNOWN})
            assert foreign.status_code == 404, name_of(endpoint)
            assert _words(foreign) == _words(unknown)


async def test_another_associations_number_under_ones_own_looks_like_none_at_all(world_on_both: World) -> None:
    world = world_on_both
    club, other = await world.club("Sjövik"), await world.club("Bergby")
    for key in (other.key, await world.installation_key()):
        async with world.program(key) as program:
            for endpoint in API:
                if endpoint.path.count("{") < 2:
                    continue
                own = {"association_id": other.association_id}
                foreign = await ask(program, endpoint, other, _numbers(endpoint, club) | own)
                unknown = await ask(program, endpoint, other, dict.fromkeys(club.numbers(), _UNKNOWN) | own)
                assert foreign.status_code == 404, name_of(endpoint)
                assert _words(foreign) == _words(unknown)


async def test_the_right_key_opens_and_the_answer_is_as_published(world_on_both: World) -> None:
    world = world_on_both
    installation = await world.installation_key()
    for number, endpoint in enumerate(API):
        club = await world.club(f"Förening {number}")
        await _prepare(world, endpoint, club)
        async with world.program(installation if endpoint.access is Access.INSTALLATION else club.key) as program:
            answer = await ask(program, endpoint, club, _numbers(endpoint, club))
        assert answer.status_code == _published(endpoint), f"{name_of(endpoint)}: {answer.text}"
        if endpoint.answer and answer.is_success:
            endpoint.answer.model_validate(answer.json())


async def test_a_key_of_one_association_lists_that_one_alone(world: World) -> None:
    club, _ = await world.club("Sjövik"), await world.club("Bergby")
    async with world.program(club.key) as program:
        answer = await program.get("/associations")
    assert [one["name"] for one in answer.json()["items"]] == ["Sjövik"]


def test_every_endpoint_has_a_name_of_its_own() -> None:
    assert len(BY_NAME) == len(API)


async def _prepare(world: World, endpoint: Endpoint, club: Club) -> None:
    """Put there what the endpoint works on."""
    async with world.database.write() as connection:
        await alerts.raise_alert(connection, "breaker", "google.com", "tar inte emot", NOW)
        await sites.save(connection, {"google.com": _STOPPED}, NOW)
        await reports.add(
            connection, [NewReport(NOW, "", ("b+x@retur.example",), "192.0.2.1", b"Subject: hej\r\n\r\n")]
        )
    if name_of(endpoint) == "mailings.resume":
        async with world.program(club.key) as program:
            await ask(program, BY_NAME["mailings.pause"], club, _numbers(BY_NAME["mailings.pause"], club))
