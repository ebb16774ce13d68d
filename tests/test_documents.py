"""What the documents tell people to type exists, and their configuration is one."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from config.settings import Settings, read_settings
from engine.__main__ import ROOMS
from engine.shell.app import app

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / name for name in ("README.md", "INSTALL.md", "OVERVIEW.md", "CONTRIBUTING.md")]
assert ROOMS  # importing them hangs their commands on `app`
UNIT = (ROOT / "deploy" / "brevduva.service").read_text(encoding="utf-8")


def _commands(text: str) -> set[str]:
    """What stands behind `brevduva` in code: `user add`, `serve web`, `dns`."""
    words = re.compile(r"(?<![/\w-])(?<!-u )brevduva ([a-z][a-z-]+(?: [a-z][a-z-]+)?)")
    return {command for code in re.findall(r"`([^`]+)`", text.replace("```", "`")) for command in words.findall(code)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_is_named_can_be_run(document: Path) -> None:
    for command in sorted(_commands(document.read_text(encoding="utf-8"))):
        assert CliRunner().invoke(app, [*command.split(), "--help"]).exit_code == 0, command


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(document: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
        assert (ROOT / link).exists(), link


@pytest.fixture
def going_live(tmp_path: Path) -> Settings:
    """The settings of INSTALL.md."""
    [text] = re.findall(r"```toml\n(.*?)```", (ROOT / "INSTALL.md").read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "brevduva.toml"
    path.write_text(text, encoding="utf-8")
    return read_settings(path)


def test_the_configuration_for_going_live_is_one(going_live: Settings) -> None:
    assert going_live.sending.mode == "internet"
    assert str(going_live.web.base_url).startswith("https://")


def test_the_unit_of_systemd_names_what_the_guide_does(going_live: Settings) -> None:
    said = dict(line.split("=", 1) for line in UNIT.splitlines() if "=" in line and not line.startswith("#"))
    assert said["WorkingDirectory"] == str(going_live.storage.data_dir)
    assert shlex.split(said["ExecStart"]) == ["/opt/brevduva/.venv/bin/brevduva", "serve"]
    assert said["Environment"].partition("=")[0] == "BREVDUVA_CONFIG"
    assert float(said["TimeoutStopSec"]) > 30, "the supervisor lets its processes finish for so long"
