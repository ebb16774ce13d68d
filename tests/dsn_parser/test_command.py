"""`python -m dsn_parser` writes one JSON object a line, survives what it cannot open, and reads standard input."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dsn_parser.__main__ import main
from dsn_parser.mailbox import split_mailbox
from tests.dsn_parser.corpus import OWN_MAILS

FIELDS = {"path", "recipient", "status", "reason", "fault", "action", "code", "enhanced", "diagnostic", "kind", "rule"}


def lines(capfdbinary: pytest.CaptureFixture[bytes]) -> list[dict[str, Any]]:
    sys.stdout.flush()
    return [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]


def test_each_mail_and_recipient_has_a_line(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = str(OWN_MAILS / "postfix.eml")
    assert main([path]) == 0
    ida, ola = lines(capfdbinary)
    assert set(ida) == FIELDS
    assert (ida["path"], ida["recipient"], ida["status"], ida["reason"]) == (
        path,
        "ida@mottagare.example",
        "invalid",
        "user_unknown",
    )
    assert (ida["action"], ida["code"], ida["enhanced"], ida["kind"]) == ("suppress", 550, "5.1.1", "delivery_report")
    assert ola["recipient"] == "ola@mottagare.example"


def test_a_mail_that_is_no_bounce_says_so(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = str(OWN_MAILS / "person.eml")
    assert main([path]) == 0
    assert lines(capfdbinary) == [{"path": path, "kind": "person", "status": "none"}]


def test_a_folder_is_read_whole_and_paths_are_joined_as_given(
    capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mails" / "a").mkdir(parents=True)
    (tmp_path / "mails" / "a" / "1.eml").write_bytes(b"Subject: hej\n\n")
    (tmp_path / "mails" / "2.eml").write_bytes(b"Subject: hej\n\n")
    monkeypatch.chdir(tmp_path)
    assert main(["mails"]) == 0
    assert [line["path"] for line in lines(capfdbinary)] == ["mails/2.eml", "mails/a/1.eml"]


def test_an_unreadable_file_is_named_and_the_others_are_read(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([str(tmp_path / "absent"), str(OWN_MAILS / "person.eml")]) == 1
    captured = capfd.readouterr()
    assert captured.err == f"{tmp_path / 'absent'}: No such file or directory\n"
    assert len(captured.out.splitlines()) == 1


def test_standard_input_is_one_mail(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    raw = (OWN_MAILS / "exim.eml").read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
    assert main(["-"]) == 0
    assert {line["path"] for line in lines(capfdbinary)} == {"-"}


def test_without_a_path_the_usage_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capfd.readouterr().err


def test_an_mbox_file_is_cut_into_its_mails() -> None:
    first = b"From a@b.example Mon Mar  3 10:00:00 2025\nSubject: one\n\n\nFrom here it is text.\n"
    second = b"From MAILER-DAEMON  Mon Mar 13 10:00:00 2025\nSubject: two\n\nbody\n"
    assert list(split_mailbox(first + b"\n" + second)) == [first, second]


def test_a_mail_that_quotes_a_from_line_is_left_whole() -> None:
    raw = b"Subject: one\n\nFrom a@b.example Mon Mar  3 10:00:00 2025\nSubject: two\n\n"
    assert list(split_mailbox(raw)) == [raw]
