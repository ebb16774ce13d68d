"""Signed tokens: only what we signed comes back, and only for what it was signed for."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.return_path import KeyRing, Purpose, message_of_address, return_path, sign, verify

OLD, NEW = b"o" * 32, b"n" * 32
RING = KeyRing((NEW, OLD))
DOMAIN = "retur.example.org"

numbers = st.integers(0, 2**63 - 1)
purposes = st.sampled_from(Purpose)


@given(numbers, purposes)
def test_a_token_brings_its_message_back(number: int, purpose: Purpose) -> None:
    assert verify(RING, purpose, sign(RING, purpose, number)) == number


@given(numbers)
def test_a_return_path_brings_its_message_back(number: int) -> None:
    assert message_of_address(RING, return_path(RING, number, DOMAIN), DOMAIN) == (Purpose.BOUNCE, number)


@given(numbers)
def test_a_return_path_fits_into_a_local_part_and_is_lower_case(number: int) -> None:
    local, _, domain = return_path(RING, number, DOMAIN).partition("@")
    assert len(local) <= 64
    assert (local, domain) == (local.lower(), DOMAIN)


@given(numbers)
def test_a_return_path_that_was_put_into_capitals_still_counts(number: int) -> None:
    assert message_of_address(RING, return_path(RING, number, DOMAIN).upper(), DOMAIN) == (Purpose.BOUNCE, number)


@given(numbers, purposes, purposes)
def test_a_token_is_good_for_one_purpose_only(number: int, given_for: Purpose, used_for: Purpose) -> None:
    good = verify(RING, used_for, sign(RING, given_for, number)) == number
    assert good == (given_for is used_for)


@given(numbers, numbers)
def test_a_token_of_one_message_is_no_good_for_another(number: int, other: int) -> None:
    mac = sign(RING, Purpose.BOUNCE, number).partition(".")[2]
    forged = f"{sign(RING, Purpose.BOUNCE, other).partition('.')[0]}.{mac}"
    assert verify(RING, Purpose.BOUNCE, forged) == (number if other == number else None)


@given(numbers, st.integers(0, 15), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_token_with_another_letter_in_its_signature_is_refused(number: int, place: int, letter: str) -> None:
    head, _, mac = sign(RING, Purpose.BOUNCE, number).partition(".")
    forged = mac[:place] + letter + mac[place + 1 :]
    assert verify(RING, Purpose.BOUNCE, f"{head}.{forged}") == (number if forged == mac else None)


@given(st.text(max_size=80))
def test_nothing_that_we_did_not_sign_is_ours(text: str) -> None:
    assert verify(RING, Purpose.BOUNCE, text) is None
    assert message_of_address(RING, text, DOMAIN) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "@",
        "b+@retur.example.org",
        "b+a.@retur.example.org",
        "b+.aaaaaaaaaaaaaaaa@retur.example.org",
        "b+a.aaaaaaaaaaaaaaaa@retur.example.org",
        "postmaster@retur.example.org",
        "x+a.aaaaaaaaaaaaaaaa@retur.example.org",
        "b+ä.aaaaaaaaaaaaaaaa@retur.example.org",
        "c+a.aaaaaaaaaaaaaaaa@retur.example.org",
        "b+" + "a" * 14 + ".aaaaaaaaaaaaaaaa@retur.example.org",
    ],
)
def test_an_address_that_is_no_return_path_is_none(address: str) -> None:
    assert message_of_address(RING, address, DOMAIN) is None


def test_a_return_path_at_another_domain_is_none() -> None:
    assert message_of_address(RING, return_path(RING, 7, "evil.example"), DOMAIN) is None


def test_a_signature_cut_short_or_drawn_out_is_refused() -> None:
    token = sign(RING, Purpose.BOUNCE, 7)
    assert verify(RING, Purpose.BOUNCE, token[:-1]) is None
    assert verify(RING, Purpose.BOUNCE, token + "a") is None


def test_what_an_old_key_signed_still_counts_and_the_new_one_signs() -> None:
    before = sign(KeyRing((OLD,)), Purpose.BOUNCE, 7)
    assert verify(RING, Purpose.BOUNCE, before) == 7
    assert sign(RING, Purpose.BOUNCE, 7) != before


def test_what_a_dropped_key_signed_counts_no_more() -> None:
    assert verify(KeyRing((NEW,)), Purpose.BOUNCE, sign(KeyRing((OLD,)), Purpose.BOUNCE, 7)) is None


def test_a_link_carries_at_least_128_bits_and_a_return_path_80() -> None:
    lengths = {purpose: len(sign(RING, purpose, 7).partition(".")[2]) * 5 for purpose in Purpose}
    assert lengths[Purpose.BOUNCE] >= 80
    assert lengths[Purpose.UNSUBSCRIBE] >= 128
    assert lengths[Purpose.CONFIRM] >= 128


@pytest.mark.parametrize("length", [16, 64, 65, 200])
def test_the_signature_is_an_hmac_whatever_the_length_of_the_key(length: int) -> None:
    key = bytes(range(length))
    number, _, letters = sign(KeyRing((key,)), Purpose.BOUNCE, 7).partition(".")
    digest = hmac.digest(key, f"b:{number}".encode(), "sha256")
    assert letters == "".join("abcdefghijklmnopqrstuvwxyz234567"[byte % 32] for byte in digest[:16])


def test_short_keys_and_no_keys_are_refused() -> None:
    for keys in ((), (b"short",)):
        with pytest.raises(ValueError, match="key"):
            KeyRing(keys)


def test_a_message_number_is_never_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        sign(RING, Purpose.BOUNCE, -1)
