"""A pytest plugin: the last lines name every test that was not run; under CI=true one of them fails the run.

A test that needs something this machine lacks calls `pytest.skip` with a reason. Only the corpus of returned mail,
which is no part of the product and cannot be installed, may be absent without failing the run.
"""

from __future__ import annotations

import os

import pytest

CORPUS_ABSENT = "corpus absent"


def _reasons(terminal: pytest.TerminalReporter) -> list[str]:
    skipped = terminal.stats.get("skipped", [])
    return [f"{report.nodeid}: {report.longrepr[2]}" for report in skipped]


def _unexcused(reasons: list[str]) -> list[str]:
    return [reason for reason in reasons if CORPUS_ABSENT not in reason]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason in _reasons(terminalreporter):
        terminalreporter.write_line(f"not run: {reason}", yellow=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and terminal and _unexcused(_reasons(terminal)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
