"""No mail goes out in plaintext, or to a host that proves nothing, where a domain demands better by MTA-STS or DANE."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import not_run
from tests.mta.demands import ANY_TLS, CASES, PLAIN, Case
from tests.mta.island import run_on_island, what_is_missing

pytestmark = pytest.mark.mta

_SECONDS = 60.0


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One mail to each domain, over DNSSEC that Unbound validates and to certificates that Postfix presents."""
    if missing := what_is_missing():
        not_run(missing)
    return run_on_island("tests.mta.trust", tmp_path_factory.mktemp("trust"), _SECONDS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mail_arrives_as_its_domain_demands_or_not_at_all(ring: dict[str, Any], case: Case) -> None:
    outcome, arrived = ring["outcomes"][case.domain], ring["arrived"].get(case.domain)
    assert outcome["card"] == "confirmed"
    if case.arrives is None:
        assert (arrived, outcome["tls"]) == (None, "")
        assert outcome["status"] == ("deferred" if case.spoilt in (("MX",), ("A",)) else "soft_bounced")
        return
    assert outcome["status"] == "sent"
    assert arrived == ("plain" if case.arrives == PLAIN else "tls")
    assert _proof(outcome["tls"]) == case.arrives


def _proof(tls: str) -> str:
    """What our history says a connection was proved by, as the cases call it."""
    if not tls:
        return PLAIN
    proof = " ".join(tls.split()[2:])
    return ANY_TLS if proof in ("", "encrypt") else proof


def test_the_table_is_shown(ring: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(_lines(ring)) + f"\n{len(CASES)} demands in {ring['seconds']} s\n")


def _lines(ring: dict[str, Any]) -> Iterator[str]:
    for case in CASES:
        outcome = ring["outcomes"][case.domain]
        yield f"{case.domain:24} {outcome['status']:13} {outcome['tls']:36} {outcome['words'][:90]}"
