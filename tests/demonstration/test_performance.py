"""The whole main job, small: everyone's mailbox does what it does, and the register says so in the end."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from rich.console import Console
from typer.testing import CliRunner

from config.vocabulary import AddressStatus, MessageStatus
from scripts.demonstration import __main__, performance, stage
from scripts.demonstration.judge import Judgement, Mismatch
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


@pytest.mark.slow
async def test_what_is_wrong_beside_the_members_spoils_the_verdict_too(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Mismatch("the table", "ever", "spam", "nowhere")
    monkeypatch.setitem(stage.TIMEOUTS_SECONDS, "banner", 0.05)
    monkeypatch.setattr(performance, "_judge_table", lambda *_: [missing])
    results: list[Result] = []
    await perform(Console(file=io.StringIO()), 1, 1, done=results.append)
    assert [result.judgement.mismatches for result in results] == [(missing,)]


@pytest.mark.parametrize(("lost", "code"), [(0, 0), (1, 1), (None, 130)])
def test_the_exit_code_is_the_verdict(monkeypatch: pytest.MonkeyPatch, lost: int | None, code: int) -> None:
    async def play(*_: object, done: Callable[[Result], None], keep: bool) -> None:
        if lost is None:
            raise KeyboardInterrupt
        done(Result(1, {}, {}, {}, {}, Judgement((), lost, 0, 0), 15.0, 1.0))

    monkeypatch.setattr(__main__, "perform", play)
    assert CliRunner().invoke(__main__.app, []).exit_code == code
