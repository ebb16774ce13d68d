"""The whole main job, small: everyone's mailbox does what it does, and the register says so in the end."""

from __future__ import annotations

import io
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from config.vocabulary import AddressStatus, MessageStatus
from scripts.demonstration import stage
from scripts.demonstration.performance import perform
from scripts.demonstration.report import Result, write_json


@pytest.mark.slow
async def test_sixty_members_all_end_as_their_characters_decide(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(stage.TIMEOUTS_SECONDS, "banner", 0.05)
    output, file = io.StringIO(), tmp_path / "result.json"

    def keep(result: Result) -> None:
        write_json(file, result)

    await perform(Console(file=output, width=120), 60, 1, done=keep)
    result = orjson.loads(file.read_bytes())
    assert result["mismatches"] == []
    assert (result["lost"], result["duplicates"], result["members"]) == (0, 0, 60)
    assert set(result["messages"]) == set(MessageStatus)
    assert all(result["cards"][status] for status in AddressStatus)
    assert "Why didn't" in output.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("members", [1, 7])
async def test_a_demo_so_small_that_some_associations_have_nobody_is_a_demo(
    monkeypatch: pytest.MonkeyPatch, members: int
) -> None:
    monkeypatch.setitem(stage.TIMEOUTS_SECONDS, "banner", 0.05)
    results: list[Result] = []
    await perform(Console(file=io.StringIO()), members, 1, done=results.append)
    assert [(result.judgement.is_clean, result.members) for result in results] == [(True, members)]
