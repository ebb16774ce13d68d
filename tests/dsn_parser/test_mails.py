"""Every mail of our own under `mails/` is read as `mails/expected.toml` says."""

from __future__ import annotations

import tomllib
from typing import TypedDict

import pytest

from dsn_parser.read_report import read_report
from tests.dsn_parser.corpus import OWN_MAILS


class Expected(TypedDict):
    kind: str
    findings: list[list[str]]


EXPECTED: dict[str, Expected] = tomllib.loads((OWN_MAILS / "expected.toml").read_text("utf-8"))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_mail_is_read_as_expected(name: str) -> None:
    report = read_report((OWN_MAILS / f"{name}.eml").read_bytes())
    findings = [[finding.recipient, finding.verdict.status.value] for finding in report.findings]
    assert {"kind": report.kind.value, "findings": findings} == EXPECTED[name]


def test_no_mail_is_without_expectation() -> None:
    assert {path.stem for path in OWN_MAILS.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize(
    "name", [name for name in EXPECTED if b"\nX-Brevduva-Token: " in (OWN_MAILS / f"{name}.eml").read_bytes()]
)
def test_what_was_returned_of_our_mail_tells_whose_it_was(name: str) -> None:
    original = read_report((OWN_MAILS / f"{name}.eml").read_bytes()).original
    assert original.token == "7kq2.m4c9x"
    assert original.message_id == "<7kq2.m4c9x@forening.example>"
    assert original.feedback_id == "12:utskick:forening"
