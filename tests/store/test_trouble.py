"""While the database is away one plain line is written now and then, and the tries come further apart."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from engine.store.trouble import LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS, Trouble

AWAY = ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 5432)")
FULL = OperationalError("UPDATE message", {}, sqlite3.OperationalError("database or disk is full"))


def test_an_hour_without_a_database_is_told_in_a_dozen_lines_without_tracebacks() -> None:
    trouble, seconds = Trouble("mail waits"), 0.0
    with capture_logs() as lines:
        while seconds < 3600:
            seconds += trouble.note(AWAY)
    assert len(lines) <= 12
    assert all(line["exc_info"] is None for line in lines)
    assert "Connect call failed" in lines[0]["why"]
    assert "see that the database runs" in lines[0]["do"]


def test_pauses_grow_and_end_with_the_trouble() -> None:
    trouble = Trouble("mail waits")
    pauses = [trouble.note(AWAY) for _ in range(8)]
    assert pauses[0] == SHORTEST_PAUSE_SECONDS
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_SECONDS
    with capture_logs() as lines:
        trouble.end()
        trouble.end()
    assert [line["event"] for line in lines] == ["the database is back"]
    assert trouble.note(AWAY) == SHORTEST_PAUSE_SECONDS


def test_a_full_disk_says_that_room_is_needed() -> None:
    with capture_logs() as lines:
        Trouble("mail waits").note(FULL)
    assert "make room on the disk" in lines[0]["do"]


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    mistake = TypeError("not a number")
    with capture_logs() as lines:
        Trouble("mail waits").note(mistake)
    assert lines[0]["exc_info"] is mistake
