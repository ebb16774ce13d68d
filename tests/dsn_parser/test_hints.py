"""Receivers' words tell how long to wait and how the whole site wants to be treated."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from config.vocabulary import SiteReaction
from dsn_parser.hints import CONFIG_FOLDER, LONGEST_WAIT_SECONDS, site_reaction, wait_hint_seconds
from dsn_parser.reply import parse_reply


def _rows(file: str, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((CONFIG_FOLDER / file).read_text("utf-8"))[name]
    return rows


@pytest.mark.parametrize("row", _rows("wait_hints.toml", "hint"), ids=lambda row: row["example"][:50])
def test_each_wait_hint_is_read_from_its_example(row: dict[str, Any]) -> None:
    assert wait_hint_seconds(parse_reply(row["example"])) == row["seconds"]


@pytest.mark.parametrize("row", _rows("site_reactions.toml", "words"), ids=lambda row: row["example"][:50])
def test_each_site_reaction_is_read_from_its_example(row: dict[str, Any]) -> None:
    site = f"mx.{row['sites'][0]}" if "sites" in row else ""
    assert site_reaction(parse_reply(row["example"]), site) == row["reaction"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("451 4.7.1 Greylisting in action, please come back in 00:04:58", 298),
        ("450 4.2.0 Greylisted for 60 seconds", 60),
        ("451 wait 30s", 30),
        ("451 Försök igen om 10 minuter", 600),
        ("421 Try again after 2 hours", 7200),
        ("421 Try again in 90 hours", LONGEST_WAIT_SECONDS),
        ("451 4.7.1 Service unavailable - try again later", None),
        ("550 5.1.1 User unknown", None),
        ("452 4.5.3 Too many recipients, 100 is the limit", None),
    ],
)
def test_a_wait_is_read_from_the_words(text: str, seconds: int | None) -> None:
    assert wait_hint_seconds(parse_reply(text)) == seconds


@pytest.mark.parametrize(
    ("text", "reaction"),
    [
        ("250 OK", SiteReaction.NONE),
        ("550 5.1.1 User unknown", SiteReaction.NONE),
        ("552 5.2.2 Mailbox full", SiteReaction.NONE),
        ("550 5.7.1 blocked using zen.spamhaus.org", SiteReaction.BLOCKED),
        ("450 4.7.25 Client host rejected: cannot find your reverse hostname", SiteReaction.BLOCKED),
        ("452 4.3.2 Connection rate limit exceeded.", SiteReaction.TOO_MANY_CONNECTIONS),
        ("421 4.7.0 Rate limit exceeded", SiteReaction.RATE_LIMITED),
        ("421", SiteReaction.SLOW_DOWN),
    ],
)
def test_a_refusal_asks_of_the_site_what_its_reason_says(text: str, reaction: SiteReaction) -> None:
    assert site_reaction(parse_reply(text)) is reaction


def test_words_of_one_site_are_not_believed_of_another() -> None:
    reply = parse_reply("554 c=bl")
    assert site_reaction(reply, "mx00.gmx.net") is SiteReaction.BLOCKED
    assert site_reaction(reply, "mx.example.com") is SiteReaction.NONE
