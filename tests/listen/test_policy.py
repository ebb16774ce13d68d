"""Who mail is taken for."""

from __future__ import annotations

import pytest

from config.settings import read_settings
from config.vocabulary import Reply
from engine.listen.policy import RecipientPolicy, Role
from engine.return_path import KeyRing, Purpose, sign
from tests.listen.callers import BOUNCE_DOMAIN, POLICY, RING, SENDER, signed


@pytest.mark.parametrize(
    ("address", "role"),
    [
        (signed(), Role.BOUNCE),
        (signed().upper(), Role.BOUNCE),
        (f"u+{sign(RING, Purpose.UNSUBSCRIBE, 7)}@{BOUNCE_DOMAIN}", Role.UNSUBSCRIBE),
        (SENDER, Role.REPLY),
        (SENDER.upper(), Role.REPLY),
        ("postmaster", Role.POSTMASTER),
        (f"Postmaster@{BOUNCE_DOMAIN}", Role.POSTMASTER),
        ("abuse@brevduva.example", Role.ABUSE),
        (f"feedback@{BOUNCE_DOMAIN}", Role.FEEDBACK),
        (f"dmarc@{BOUNCE_DOMAIN}", Role.DMARC),
        ("tlsrpt@brevduva.example", Role.TLSRPT),
    ],
)
def test_our_own_addresses_are_taken(address: str, role: Role) -> None:
    assert POLICY.check(address) is role


@pytest.mark.parametrize(
    ("address", "enhanced"),
    [
        ("", "5.7.1"),
        ("ida", "5.7.1"),
        ("abuse", "5.7.1"),
        ("ida@example.org", "5.7.1"),
        (f"postmaster@{BOUNCE_DOMAIN}.", "5.7.1"),
        (f"postmaster@x.{BOUNCE_DOMAIN}", "5.7.1"),
        (f"postmaster@[{BOUNCE_DOMAIN}]", "5.7.1"),
        ("feedbac\u212a@brevduva.example", "5.7.1"),
        (signed().replace("brevduva", "brevd\u0443va"), "5.7.1"),
        (f"ida@{BOUNCE_DOMAIN}", "5.1.1"),
        (f"utskick@{BOUNCE_DOMAIN}", "5.1.1"),
        (f"reply@{BOUNCE_DOMAIN}", "5.1.1"),
        (f"b+{sign(RING, Purpose.UNSUBSCRIBE, 7)}@{BOUNCE_DOMAIN}", "5.1.1"),
        (f"c+{sign(RING, Purpose.CONFIRM, 7)}@{BOUNCE_DOMAIN}", "5.1.1"),
        (signed()[:-1], "5.7.1"),
        (signed().replace("@", "x@"), "5.1.1"),
        (signed().replace(BOUNCE_DOMAIN, "brevduva.example"), "5.1.1"),
    ],
)
def test_everything_else_is_refused_in_neutral_words(address: str, enhanced: str) -> None:
    refusal = POLICY.check(address)
    assert isinstance(refusal, Reply)
    assert str(refusal).startswith(f"550 {enhanced} ")
    assert "bounce" not in refusal.text.lower()


def test_a_path_signed_with_the_last_key_is_still_taken() -> None:
    turned = RecipientPolicy(KeyRing((b"a newer key of the tests", *RING.keys)), BOUNCE_DOMAIN, SENDER)
    assert turned.check(signed()) is Role.BOUNCE


def test_the_policy_is_what_the_settings_say() -> None:
    assert RecipientPolicy.of(read_settings(), RING) == POLICY
