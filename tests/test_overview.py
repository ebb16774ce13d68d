"""OVERVIEW.md tells the truth about the states of a message and the rooms of the house."""

from __future__ import annotations

import re
from pathlib import Path

from config.vocabulary import MessageStatus
from engine.lifecycle import MESSAGE_MOVES

ROOT = Path(__file__).parent.parent
OVERVIEW = (ROOT / "OVERVIEW.md").read_text(encoding="utf-8")


def _state_table() -> dict[str, set[str]]:
    section = OVERVIEW.split("## The states of a message")[1].split("\n## ")[0]
    rows = [line.split("|")[1:3] for line in section.splitlines() if line.startswith("| `")]
    return {first.strip(" `"): set(re.findall(r"`(\w+)`", second)) for first, second in rows}


def test_the_state_table_is_the_one_in_the_code() -> None:
    assert _state_table() == {old.value: {new.value for new in moves} for old, moves in MESSAGE_MOVES.items()}


def test_every_status_has_its_row() -> None:
    assert set(_state_table()) == {status.value for status in MessageStatus}


def test_the_picture_of_the_house_names_every_room_of_the_engine() -> None:
    picture = OVERVIEW.split("## The house")[1].split("## The two journeys")[0]
    rooms = {
        path.stem for path in (ROOT / "engine").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - {"__init__", "passwords"} <= set(re.findall(r"\w+", picture))


def test_every_stage_of_the_two_journeys_is_a_room() -> None:
    journeys = OVERVIEW.split("## The two journeys")[1].split("## The states")[0]
    for room in ("queue", "route", "compose", "deliver", "outcome", "listen"):
        assert room in journeys
        assert (ROOT / "engine" / room / "__init__.py").exists()
