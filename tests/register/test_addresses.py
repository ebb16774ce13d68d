"""What is an address, what is not, and what was probably meant."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.register.addresses import Address, BadAddress, normalise, suggest


@pytest.mark.parametrize(
    ("typed", "key", "domain"),
    [
        ("ida@example.org", "ida@example.org", "example.org"),
        (" Ida.Berg+klubb@Example.ORG ", "ida.berg+klubb@example.org", "example.org"),
        ("o'brien@example.ie", "o'brien@example.ie", "example.ie"),
        ("åsa@example.se", "åsa@example.se", "example.se"),
        ("Åsa@example.se", "åsa@example.se", "example.se"),
        ("styrelsen@Åland.fi", "styrelsen@xn--land-poa.fi", "xn--land-poa.fi"),
        ("styrelsen@xn--land-poa.fi", "styrelsen@xn--land-poa.fi", "xn--land-poa.fi"),
        ("a\u030asa@example.se", "åsa@example.se", "example.se"),
    ],
)
def test_addresses_are_compared_by_one_key(typed: str, key: str, domain: str) -> None:
    address = normalise(typed)
    assert isinstance(address, Address)
    assert (address.key, address.domain) == (key, domain)


@pytest.mark.parametrize(
    "typed",
    [
        *("", "ida", "@example.org", "ida@", "ida@example", "ida@@example.org", "ida@example..org", "ida@.example.org"),
        *("ida@example.org.", ".ida@example.org", "ida.@example.org", "i..da@example.org", "ida berg@example.org"),
        *("ida@-example.org", "ida@example-.org", "ida@exam_ple.org", "ida@127.0.0.1", "ida@[127.0.0.1]"),
        *("ida@xn--zz.fi", "ida@example.123", '"ida berg"@example.org', "ida(hej)@example.org"),
        *("Ida <ida@example.org>", "ida@example.org, bo@example.org", "ida@example.org;bo@example.org"),
        *(
            "ida@exa\u200bmple.org",
            "ida@example.org\r\nBcc: bo@example.org",
            "i\0da@example.org",
            "ida@ex\u202eample.org",
        ),
        *(
            "x" * 65 + "@example.org",
            "å" * 33 + "@example.org",
            "ida@" + "a" * 64 + ".org",
            "ida@" + "abc." * 64 + "org",
        ),
    ],
)
def test_what_is_no_bare_address_says_why(typed: str) -> None:
    refused = normalise(typed)
    assert isinstance(refused, BadAddress)
    assert refused.problem
    assert refused.cure


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ida@gmial.com", "ida@gmail.com"),
        ("ida@gmail.con", "ida@gmail.com"),
        ("ida@gmaill.com", "ida@gmail.com"),
        ("ida@hotmial.fi", "ida@hotmail.fi"),
        ("ida@outlok.com", "ida@outlook.com"),
        ("ida@gmail,com", "ida@gmail.com"),
        ("ida@gmailcom", "ida@gmail.com"),
        ("ida(at)telia.com", "ida@telia.com"),
        ("ida [snabel-a] telia.com", "ida@telia.com"),
        ("Ida Berg <ida@example.org>", "ida@example.org"),
        ("mailto:ida@example.org", "ida@example.org"),
        ("ida @example.org", "ida@example.org"),
        ("ida@example.org.", "ida@example.org"),
        ("'ida@example.org'", "ida@example.org"),
        ("ida@@example..org", "ida@example.org"),
    ],
)
def test_a_probable_typing_error_is_suggested(typed: str, meant: str) -> None:
    assert suggest(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        *("ida@hotmail.fi", "ida@hotmail.se", "ida@live.fi", "ida@gmail.com", "ida@example.org", "o'brien@example.ie"),
        *("ida", "", "ida@x.fi, bo@x.fi", "ida@nn.com"),
    ],
)
def test_what_is_right_or_hopeless_gets_no_suggestion(typed: str) -> None:
    assert suggest(typed) is None


@given(st.text(max_size=300))
def test_whatever_is_typed_is_an_address_or_has_a_cure(typed: str) -> None:
    address = normalise(typed)
    if isinstance(address, Address):
        assert address.key.isprintable()
        assert address.key.count("@") == 1
        assert address.domain.isascii()
        again = normalise(address.key)
        assert isinstance(again, Address)
        assert again.key == address.key
    meant = suggest(typed)
    assert meant is None or isinstance(normalise(meant), Address)


def test_flanker_is_imported_without_a_word_and_without_writing() -> None:
    program = (
        "import ply.yacc, engine.register.addresses as a; from flanker.addresslib._parser import parser;"
        "assert not hasattr(ply.yacc.yacc, 'func'); assert a.normalise('ida@example.org')"
    )
    ran = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, check=True)
    assert ran.stdout == ran.stderr == b""
