"""The configuration: every wrong key is named at once with its cure; none at all means the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import BadSettings, read_settings

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("BREVDUVA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def _problems(text: str, tmp_path: Path) -> list[str]:
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadSettings) as raised:
        read_settings(path)
    return raised.value.problems


def test_a_time_zone_is_one_of_the_tz_database(tmp_path: Path) -> None:
    (problem,) = _problems('[web]\ntime_zone = "Europe/Umeå"\n', tmp_path)
    assert "web.time_zone" in problem
    assert "Europe/Helsinki" in problem


def test_without_a_configuration_it_is_the_sandbox() -> None:
    settings = read_settings()
    assert settings.sending.mode == "sandbox"
    assert settings.receiving.host == "127.0.0.1"


def test_every_wrong_key_is_named_at_once_with_its_cure(tmp_path: Path) -> None:
    problems = _problems(
        '[sending]\nmode = "interet"\nhostnam = "x"\nlease_seconds = -1\n[nope]\na = 1\n[web]\nport = "x"\n', tmp_path
    )
    assert sorted(line.partition(":")[0] for line in problems) == [
        "nope",
        "sending.hostnam",
        "sending.lease_seconds",
        "sending.mode",
        "web.port",
    ]
    assert 'sending.mode: \'interet\' will not do; give "sandbox" or "internet"' in problems
    assert 'sending.hostnam: there is no such setting; did you mean "hostname"?' in problems


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "brevduva.toml").write_text("[web]\nport = 1\n[receiving]\nport = 2\n", encoding="utf-8")
    monkeypatch.setenv("BREVDUVA_WEB__PORT", "3")
    settings = read_settings()
    assert (settings.web.port, settings.receiving.port) == (3, 2)


def test_a_variable_that_names_no_table_is_named_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BREVDUVA_SENDNG__MODE", "internet")
    problems = _problems("[web]\nprot = 1\n", tmp_path)
    assert problems[0] == 'BREVDUVA_SENDNG__MODE: there is no such setting; did you mean "sending"?'
    assert len(problems) == 2


def test_links_lead_to_where_the_pages_are_unless_another_address_is_given(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[web]\nport = 9000\n", encoding="utf-8")
    assert str(read_settings(path).web.base_url) == "http://127.0.0.1:9000/"


def test_the_sandboxs_names_are_not_sent_to_the_internet(tmp_path: Path) -> None:
    problems = _problems('[sending]\nmode = "internet"\n', tmp_path)
    named = ["sending.hostname", "sending.sender_address", "sending.bounce_domain", "web.base_url"]
    assert [line.partition(":")[0] for line in problems] == named


def test_a_file_that_is_named_and_missing_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="cannot be read"):
        read_settings(tmp_path / "missing.toml")


def test_a_file_that_is_no_toml_names_its_line(tmp_path: Path) -> None:
    assert "line 1" in _problems("this is not TOML", tmp_path)[0]


def test_a_command_with_a_wrong_configuration_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "brevduva.toml").write_text('[sending]\nmode = "interet"\n[web]\nprot = 1\n', encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "engine", "serve"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 2
    assert "sending.mode" in ran.stderr
    assert 'did you mean "port"?' in ran.stderr


def test_a_port_beyond_the_highest_is_named_once() -> None:
    with pytest.raises(BadSettings) as raised:
        read_settings(web={"port": 99_999})
    assert [problem.partition(":")[0] for problem in raised.value.problems] == ["web.port"]
