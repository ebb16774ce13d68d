"""What keeps the service from working is said in one line with its cure, before anything is started."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from config.settings import read_settings
from config.vocabulary import ServiceRole
from engine.errors import BrevduvaError, InvalidInput, NotFound
from engine.shell import asking, serving, writing
from engine.shell.app import app
from engine.shell.doors import check_doors

assert all((asking, serving, writing))  # importing them adds their commands
runner = CliRunner()
_PASSWORD = "ett ganska långt ord"


@pytest.fixture(autouse=True)
def _fresh_installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("BREVDUVA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def _run(*words: str) -> str:
    result = runner.invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_data_folder_is_closed_to_others() -> None:
    _run("nodes")
    assert Path("var").stat().st_mode & 0o077 == 0


def test_a_data_folder_that_is_a_file_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("taken").touch()
    monkeypatch.setenv("BREVDUVA_STORAGE__DATA_DIR", "taken")
    with pytest.raises(BrevduvaError, match=r"taken cannot be made .* name another folder as storage.data_dir"):
        _run("nodes")


@pytest.mark.parametrize("url", ["postgresql://nobody:hush@127.0.0.1:1/x", "sqlite:////nowhere/at/all.db"])
def test_a_database_that_is_away_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("BREVDUVA_STORAGE__DATABASE_URL", url)
    with pytest.raises(BrevduvaError, match=r"cannot be used \(.+\); start or mend it") as raised:
        _run("nodes")
    assert "hush" not in str(raised.value)


def test_a_file_that_is_no_database_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Hej! " * 1000, encoding="utf-8")
    monkeypatch.setenv("BREVDUVA_STORAGE__DATABASE_URL", f"sqlite:///{tmp_path}/letter.txt")
    with pytest.raises(BrevduvaError, match="file is not a database"):
        _run("nodes")


def test_a_database_of_a_later_version_is_left_alone() -> None:
    _run("migrate")
    with closing(sqlite3.connect("var/brevduva.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    with pytest.raises(BrevduvaError, match=r"later version of Brevduva .* start that version"):
        _run("nodes")


def test_what_cannot_be_printed_is_told_without_a_traceback() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "engine", "dns"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (ended.returncode, ended.stderr) == (1, b"The system refused it: [Errno 28] No space left on device\n")


def test_a_port_that_is_taken_is_told_before_anything_is_started() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BrevduvaError, match=f"port {port} of 127.0.0.1 .* set another web.host and web.port"):
            check_doors(read_settings(web={"port": port}), [ServiceRole.WEB])
        check_doors(read_settings(web={"port": port}), [ServiceRole.SEND])
    check_doors(read_settings(web={"port": port}, receiving={"port": 0}), list(ServiceRole))


def test_an_address_that_is_not_ours_is_told() -> None:
    with pytest.raises(BrevduvaError, match=r"receiving\.host"):
        check_doors(read_settings(receiving={"host": "192.0.2.1", "port": 0}), [ServiceRole.RECEIVE])


def test_a_certificate_that_is_not_there_is_told() -> None:
    with pytest.raises(BrevduvaError, match=r"No such file .* receiving.tls_certificate"):
        check_doors(read_settings(receiving={"port": 0, "tls_certificate": "nowhere.pem"}), [ServiceRole.RECEIVE])


def test_people_keys_and_associations_need_a_name_and_people_an_address() -> None:
    _run("association", "add", "Klubben")
    for words in (
        ("user", "add", "nonsense", "--name", "A", "--password", _PASSWORD),
        ("user", "add", "a@example.org", "--name", " ", "--password", _PASSWORD),
        ("key", "add", ""),
        ("association", "add", " "),
    ):
        with pytest.raises(InvalidInput):
            _run(*words)


def test_what_does_not_exist_is_told_with_the_way_to_what_does() -> None:
    with pytest.raises(NotFound, match="association list"):
        _run("key", "add", "curl", "--association", "x")
    with pytest.raises(NotFound, match="no mailing 9"):
        _run("mailing", "status", "9")


def test_associations_are_listed_with_their_short_names() -> None:
    _run("association", "add", "Norra  skytteklubben")
    assert "norra-skytteklubben" in _run("association", "list")


def test_who_belongs_to_no_association_is_told_to_be_an_operator() -> None:
    assert "operator" in _run("user", "add", "o@example.org", "--name", "Olle", "--password", _PASSWORD)


def test_the_version_is_told() -> None:
    assert _run("--version").startswith("brevduva ")
