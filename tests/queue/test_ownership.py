"""Every site has exactly one owner, and keeps it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.queue.ownership import owner_of

SITES = [f"mx{number}.example" for number in range(1_000)]


def test_everybody_names_the_same_owner_whatever_the_order() -> None:
    assert all(owner_of(site, ["a", "b", "c"]) == owner_of(site, ["c", "a", "b"]) for site in SITES)


def test_sites_are_spread_evenly() -> None:
    owned = Counter(owner_of(site, ["a", "b", "c", "d"]) for site in SITES)
    assert all(200 <= count <= 300 for count in owned.values())


@given(st.sets(st.text(min_size=1, max_size=8), min_size=2, max_size=6))
def test_when_a_process_goes_only_its_own_sites_change_hands(processes: set[str]) -> None:
    gone, *left = sorted(processes)
    for site in SITES[:50]:
        before = owner_of(site, processes)
        assert before == gone or owner_of(site, left) == before


def test_without_processes_there_is_no_owner() -> None:
    with pytest.raises(ValueError, match="no process"):
        owner_of("mx.example", [])
