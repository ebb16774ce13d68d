"""The members' own pages in three languages."""

from __future__ import annotations

import re

import pytest

from admin_api.pages.languages import LANGUAGES, choose_language, sentences
from engine.return_path import Purpose
from tests.api.world import World
from tests.pages.visitor import visitor

_HOLE = re.compile(r"\{\w+\}")


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "sv"),
        ("*", "sv"),
        ("fi", "fi"),
        ("fi-FI,fi;q=0.9,sv;q=0.8", "fi"),
        ("de,en-GB;q=0.7,sv;q=0.9", "sv"),
        ("de-CH,en;q=0.3", "en"),
        ("de", "sv"),
        ("fi;q=0,en;q=0.1", "en"),
        ("fi;q=mycket", "sv"),
        ("fi;q=nan, en", "en"),
    ],
)
def test_the_language_is_the_one_that_the_browser_likes_best(accept: str, language: str) -> None:
    assert choose_language(accept) == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same_things_about_the_same(language: str) -> None:
    for page, said in sentences("sv").items():
        other = sentences(language)[page]
        assert list(other) == list(said)
        for name, sentence in said.items():
            assert set(_HOLE.findall(other[name])) == set(_HOLE.findall(sentence)), (page, name)


async def test_a_member_reads_the_confirm_page_in_finnish(world: World) -> None:
    club = await world.club("Sjövik <b>")
    async with visitor(world) as member:
        member.browser.headers["Accept-Language"] = "fi-FI,fi;q=0.9"
        path = world.link(Purpose.CONFIRM, club.request_id)
        page = await member.open(path)
        assert '<html lang="fi">' in page.text
        assert "Sjövik &lt;b&gt; haluaa voida lähettää" in page.text
        assert "on nyt vahvistettu" in (await member.send(path)).text
        page = await member.open(world.link(Purpose.UNSUBSCRIBE, club.message_id))
        assert "Ei kiitos" in page.text
