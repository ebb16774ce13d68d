"""What the demo tells while it goes."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from config.vocabulary import MessageStatus
from scripts.demonstration import report
from scripts.demonstration.report import Board

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
