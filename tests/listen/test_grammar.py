"""Command lines, paths and parameters."""

from __future__ import annotations

import pytest

from engine.listen.grammar import Command, Path, read_command, read_path


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"NOOP\r\n", Command("NOOP")),
        (b"ehlo  a.example \r\n", Command("EHLO", "a.example")),
        ("MAIL FROM:<åsa@exempel.example>\r\n".encode(), Command("MAIL", "FROM:<åsa@exempel.example>")),
        (b"\r\n", Command("")),
    ],
)
def test_a_line_is_a_verb_and_an_argument(line: bytes, command: Command) -> None:
    assert read_command(line) == command


@pytest.mark.parametrize(
    "line", [b"NOOP\n", b"NOOP", b"NO\rOP\r\n", b"NOOP \0\r\n", b"NOOP \x1b[2J\r\n", b"NOOP \xff\r\n"]
)
def test_a_line_with_bare_or_control_characters_is_none(line: bytes) -> None:
    assert read_command(line) is None


@pytest.mark.parametrize(
    ("argument", "path"),
    [
        ("FROM:<>", Path("")),
        ("from: <ida@example.org>", Path("ida@example.org")),
        ("FROM:<> SIZE=100 body=8BITMIME smtputf8", Path("", {"SIZE": "100", "BODY": "8BITMIME", "SMTPUTF8": ""})),
        ("FROM:<> RET=HDRS ENVID=QQ314159", Path("", {"RET": "HDRS", "ENVID": "QQ314159"})),
    ],
)
def test_a_path_has_an_address_and_parameters(argument: str, path: Path) -> None:
    assert read_path(argument, "FROM:") == path


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "FROM",
        "FROM:",
        "TO:<a@b.example>",
        "FROM:a@b.example",
        "FROM:<a@b.example",
        "FROM:<a b@c.example>",
        "FROM:<<a@b.example>>",
        'FROM:<"a"@b.example>',
        "FROM:<a\\@b.example>",
        "FROM:<" + "a" * 330 + ">",
        "FROM:<a@b.example>SIZE=1",
        "FROM:<> SIZE=",
        "FROM:<> =1",
    ],
)
def test_what_is_no_path_is_none(argument: str) -> None:
    assert read_path(argument, "FROM:") is None
