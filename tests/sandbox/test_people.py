"""The people of the box: the same for the same seed, and registers whose import report is known beforehand."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.register.imports import read_register
from engine.sandbox.characters import CHARACTERS
from engine.sandbox.people import ASSOCIATIONS, make_people
from engine.sandbox.registers import DIALECTS, write_register


def test_the_same_seed_makes_the_same_people() -> None:
    assert make_people(200, seed=7) == make_people(200, seed=7)
    assert make_people(200, seed=7) != make_people(200, seed=8)


@pytest.mark.parametrize("members", [1, 3, 10, 60, 500])
def test_there_are_as_many_cards_as_were_asked_for(members: int) -> None:
    assert len(make_people(members, seed=1).members) == members


def test_every_character_and_every_association_is_there() -> None:
    people = make_people(60, seed=1)
    assert {member.character for member in people.members} == set(CHARACTERS)
    assert all(people.of(place) for place in range(len(ASSOCIATIONS)))


def test_an_address_in_two_registers_stands_in_the_first_and_in_a_later_one() -> None:
    people = make_people(500, seed=1)
    later = [member for member in people.members if member.is_elsewhere]
    assert len(later) == 10
    for member in later:
        assert member.association > 0
        assert [one.association for one in people.members if one.email == member.email] == [0, member.association]


def test_no_other_address_stands_twice() -> None:
    people = make_people(500, seed=1)
    counts = Counter(member.email.lower() for member in people.members)
    doubled = {email for email, count in counts.items() if count > 1}
    assert doubled == {member.email.lower() for member in people.members if member.is_elsewhere}


@pytest.mark.parametrize("place", range(len(ASSOCIATIONS)))
def test_each_register_is_read_back_as_it_was_meant(place: int) -> None:
    members = make_people(300, seed=1).of(place)
    register = write_register(members, DIALECTS[place])
    sheet = read_register(register.data, register.filename)
    assert sheet.head == DIALECTS[place].head
    assert len(sheet.rows) == register.expected["added"] + register.expected["twin"]
    assert sheet.rows[0][1][1:4] == (members[0].first_name, members[0].last_name, members[0].email)


def test_nobody_has_anybody_elses_name() -> None:
    people = make_people(5000, seed=1)
    names = {(member.first_name, member.last_name, member.email) for member in people.members}
    assert len({(first, last) for first, last, _ in names}) == len(names)
