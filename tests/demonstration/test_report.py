"""What the demo tells while it goes."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from config.vocabulary import AddressStatus, MessageStatus
from scripts.demonstration import report
from scripts.demonstration.__main__ import app
from scripts.demonstration.judge import Judgement, Mismatch
from scripts.demonstration.report import Board, Result, print_result

NOW = datetime(2026, 1, 12, 8, tzinfo=UTC)


def test_once_the_board_is_put_away_it_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_LINE_SECONDS", 0.0)
    output = io.StringIO()
    with Board(Console(file=output), NOW) as board:
        board.show(NOW, {MessageStatus.SENT: 1})
    told = output.getvalue()
    board.show(NOW, {MessageStatus.SENT: 2})
    assert "Skickat 1" in told
    assert output.getvalue() == told


def _told(judgement: Judgement, width: int) -> list[str]:
    words = {MessageStatus.BOUNCED: "The email account that you tried to reach is [bold]disabled, " + "long ago " * 20}
    result = Result(3, {MessageStatus.SENT: 2}, {MessageStatus.SENT: 3}, words, {}, judgement, 15.0, 4.0)
    output = io.StringIO()
    print_result(Console(file=output, width=width), result)
    return output.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_every_status_has_its_line_and_every_line_its_width(width: int) -> None:
    lines = _told(Judgement((), 0, 0, 0), width)
    for status in (*MessageStatus, *AddressStatus):
        assert sum(line.split()[:1] == [status.value] for line in lines) == 1
    assert max(map(len, lines)) <= width
    assert any("[bold]" in line for line in lines) or width < 120


def test_the_verdict_says_whether_all_is_well() -> None:
    assert any(
        line.startswith("Every mail and every card is as it must be") for line in _told(Judgement((), 0, 0, 2), 120)
    )
    wrong = _told(Judgement((Mismatch("ida@example.org", "card", "confirmed", "problem_spam"),), 1, 0, 0), 120)
    assert "ida@example.org: card should be confirmed, is problem_spam" in wrong
    assert any(line.startswith("Not everything is as it must be: mismatches 1, lost 1") for line in wrong)


@pytest.mark.parametrize(
    ("words", "cure"), [(("--members", "0"), "greater"), (("--json", "/nowhere/at/all"), "name another file")]
)
def test_what_cannot_be_done_is_told_before_the_demo_begins(words: tuple[str, ...], cure: str) -> None:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 2
    assert cure in result.output


def test_a_file_that_will_be_written_holds_no_older_result_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{}")
    CliRunner().invoke(app, ["--json", str(tmp_path / "result.json"), "--members", "0"])
    assert (tmp_path / "result.json").read_text() == ""
