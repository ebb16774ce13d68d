"""Postfix, Exim and OpenSMTPD take our mailing, refuse it, bounce it by their own means, and every status is right."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.conftest import not_run
from tests.mta.island import run_on_island, what_is_missing
from tests.mta.state import State, write_table

pytestmark = pytest.mark.mta

_SECONDS = 80.0


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One mailing to all the servers, and what came of it within hours and after six days."""
    if missing := what_is_missing():
        not_run(missing)
    return run_on_island("tests.mta.ring", tmp_path_factory.mktemp("ring"), _SECONDS)


def _states(ring: dict[str, Any], when: str) -> list[State]:
    return [State.from_json(values) for values in ring[when]]


def test_every_answer_and_every_report_of_a_real_server_is_understood(
    ring: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    first, last = _states(ring, "first"), _states(ring, "last")
    with capsys.disabled():
        sys.stdout.write(f"\n{write_table(first, last)}\n{len(first)} members at real servers in {ring['seconds']} s\n")
    assert [state for state in first if not state.is_as_meant()] == []


def test_after_six_days_every_message_and_every_card_stands_where_it_must(ring: dict[str, Any]) -> None:
    assert [state for state in _states(ring, "last") if not state.has_ended_as_meant()] == []


@pytest.mark.parametrize("domain", ["postfix.example", "exim.example"])
def test_every_attempt_is_made_over_tls(ring: dict[str, Any], domain: str) -> None:
    attempts = [tls for state in _states(ring, "last") if state.domain == domain for tls in state.tls]
    assert attempts
    assert all(tls.startswith("TLSv1.3") for tls in attempts)


def test_opensmtpd_gets_its_mail_over_tls_and_in_plaintext_where_it_cannot_speak_it(ring: dict[str, Any]) -> None:
    """OpenSMTPD before 7 offers STARTTLS with OpenSSL 3 and fails in every handshake; a later one must be encrypted."""
    attempts = [tls for state in _states(ring, "last") if state.domain == "opensmtpd.example" for tls in state.tls]
    expected = {False} if ring["opensmtpd"].startswith("6.") else {True}
    assert {bool(tls) for tls in attempts} == expected


def test_both_signatures_verify_on_what_arrived(ring: dict[str, Any]) -> None:
    both = [[True, True]]
    assert ring["verified"] == {"postfix.example": both, "exim.example": both, "opensmtpd.example": both}


def test_opendkim_passes_both_signatures_at_the_door_of_postfix(ring: dict[str, Any]) -> None:
    assert ring["opendkim"] == ["dkim=pass", "dkim=pass"]
