"""Every command does its work on a fresh installation, prints JSON when asked, and says what to do when it cannot."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.errors import BrevduvaError, NotFound
from engine.shell import asking, doctor, records, serving, writing
from engine.shell.app import app
from engine.store.database import Database
from tests.store.association import make_association, queue_mailing

assert all((asking, doctor, records, serving, writing))  # importing them adds their commands
runner = CliRunner()


@pytest.fixture(autouse=True)
def _fresh_installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("BREVDUVA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def _run(*words: str) -> str:
    result = runner.invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_an_association_a_person_and_a_key_are_added() -> None:
    assert "norra-skytteklubben" in _run("association", "add", "Norra skytteklubben")
    _run(
        *("user", "add", "siv@example.org", "--name", "Siv Lind"),
        *("--password", "ett ganska långt ord", "--association", "norra-skytteklubben"),
    )
    assert _run("key", "add", "curl").strip().startswith("bvd_")


def test_a_register_is_imported_and_every_odd_row_is_reported(tmp_path: Path) -> None:
    _run("association", "add", "Klubben")
    (tmp_path / "m.csv").write_text("Förnamn;E-post\nIda;ida@example.org\nBo;bo(at)example.org\n", encoding="utf-8")
    rows = json.loads(_run("import", "m.csv", "--association", "klubben", "--json"))
    assert [row["row"] for row in rows] == [3]


def test_a_short_password_is_refused_with_the_cure() -> None:
    with pytest.raises(BrevduvaError, match="at least"):
        _run("user", "add", "a@example.org", "--name", "A", "--password", "kort")


def test_an_unknown_association_is_refused() -> None:
    with pytest.raises(NotFound):
        _run("user", "add", "a@example.org", "--name", "A", "--password", "ett ganska långt ord", "--association", "x")


def test_an_answer_is_explained() -> None:
    words = _run("explain-reply", "552 5.2.2 Mailbox full")
    assert "mailbox_full" in words
    assert "strike" in words


def test_nothing_sent_is_said_so() -> None:
    with pytest.raises(NotFound, match="nothing was ever sent"):
        _run("explain", "ida@example.org")


def test_lists_are_empty_json_on_a_fresh_installation() -> None:
    for words in (("suppressions",), ("site", "list"), ("nodes",), ("mailing", "list")):
        assert json.loads(_run(*words, "--json")) == []


def test_the_dkim_record_is_printed_and_the_key_closed_to_others() -> None:
    (record,) = json.loads(_run("keys", "--json"))
    assert record["value"].startswith("v=DKIM1; k=rsa; p=")
    assert Path("var/secrets/b1.pem").stat().st_mode & 0o077 == 0
    assert json.loads(_run("keys", "--json")) == [record]


def test_a_rotated_token_key_stands_first_and_the_old_one_stays() -> None:
    _run("keys")
    old = Path("var/secrets/tokens.key").read_text().split()
    _run("keys", "--rotate")
    assert Path("var/secrets/tokens.key").read_text().split()[1:] == old


def test_the_doctor_names_what_is_missing_and_the_cure() -> None:
    result = runner.invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    cures = {row["what"]: row["do"] for row in json.loads(result.output)}
    assert cures["processes"] == "start them: brevduva serve"
    assert cures["secrets"] == cures["database"] == ""


def test_secrets_are_closed_where_their_folder_is() -> None:
    runner.invoke(app, ["doctor"])
    Path("var/secrets/installation").write_text("a sender has been at work")
    assert _secrets_cure() == ""
    Path("var/secrets").chmod(0o755)
    assert _secrets_cure() == "chmod -R go= var/secrets"


def _secrets_cure() -> str:
    rows = json.loads(runner.invoke(app, ["doctor", "--json"]).output)
    return next(str(row["do"]) for row in rows if row["what"] == "secrets")


def test_a_password_may_be_piped_in() -> None:
    _run("association", "add", "Klubben")
    words = ["user", "add", "siv@example.org", "--name", "Siv", "--association", "klubben"]
    result = runner.invoke(app, words, input="ett ganska långt ord\n", catch_exceptions=False)
    assert (result.exit_code, result.output) == (0, "siv@example.org may log in.\n")
    with pytest.raises(BrevduvaError, match="at least"):
        runner.invoke(app, words, input="", catch_exceptions=False)


def test_an_answer_of_no_words_is_asked_for() -> None:
    with pytest.raises(BrevduvaError, match="give what the receiver answered"):
        _run("explain-reply", " ")


def test_records_are_lines_of_a_zone_file_with_long_texts_in_pieces() -> None:
    lines = _run("dns").splitlines()
    assert lines[1] == "retur.brevduva.example. MX 10 mail.brevduva.example."
    [key] = [line for line in lines if line.startswith("b1._domainkey.brevduva.example. TXT ")]
    pieces = key.split('"')[1::2]
    assert [len(piece) > 255 for piece in pieces] == [False, False]
    [record] = json.loads(_run("keys", "--json"))
    assert "".join(pieces) == record["value"]
    assert _run("keys") == key + "\n"


def test_what_goes_into_a_pipe_is_not_folded() -> None:
    name = "En förening med ett ovanligt långt namn " * 2
    _run("association", "add", name)
    assert name.strip() in _run("association", "list")
    assert len(_run("explain-reply", "550 " + "långt " * 30).splitlines()[0]) > 150


def test_what_a_stranger_wrote_steers_no_terminal() -> None:
    assert "\x1b" not in _run("explain-reply", "550 \x1b[2J[bold]no")


async def _queue(url: str) -> None:
    database = Database(url)
    async with database.write() as connection:
        await queue_mailing(connection, await make_association(connection, ["ida@example.org"]))
    await database.close()


def test_mailings_are_found_by_the_number_that_tells_more_of_them() -> None:
    _run("migrate")
    asyncio.run(_queue("sqlite:///var/brevduva.db"))
    [mailing] = json.loads(_run("mailing", "list", "--json"))
    assert (mailing["messages"], mailing["waiting"]) == (1, 1)
    with pytest.raises(NotFound, match="brevduva association list"):
        _run("mailing", "list", "--association", "another")
    [queued] = json.loads(_run("mailing", "status", str(mailing["id"]), "--json"))
    assert (queued["status"], queued["messages"]) == ("queued", 1)
