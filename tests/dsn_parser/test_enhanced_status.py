"""The IANA registry is complete, and every code in it means what the table of reasons says."""

from __future__ import annotations

import pytest

from config.vocabulary import Action, EnhancedStatus, Reason
from dsn_parser.classify import classify, meaning_of
from dsn_parser.reply import parse_reply
from dsn_parser.status_codes import status_entry, status_registry

# How many codes each subject of the registry "SMTP Enhanced Status Codes" has, counted from X.n.0.
HIGHEST_DETAIL = {0: 0, 1: 10, 2: 4, 3: 6, 4: 7, 5: 6, 6: 10, 7: 30}


def test_every_registered_code_is_there() -> None:
    registered = {f"X.{subject}.{detail}" for subject, last in HIGHEST_DETAIL.items() for detail in range(last + 1)}
    assert registered <= set(status_registry())


def test_every_registered_code_has_its_source_and_words() -> None:
    for code, entry in status_registry().items():
        assert entry.sample, code
        assert entry.description, code
        assert entry.reference or entry.reason, code


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("550 5.1.1", Reason.USER_UNKNOWN),
        ("550 5.1.2", Reason.HOST_UNKNOWN),
        ("501 5.1.3", Reason.BAD_ADDRESS),
        ("550 5.1.6", Reason.MOVED),
        ("556 5.1.10", Reason.NULL_MX),
        ("550 5.1.8", Reason.SENDER_REJECTED),
        ("550 5.2.1", Reason.DISABLED),
        ("552 5.2.2", Reason.MAILBOX_FULL),
        ("552 5.2.3", Reason.TOO_BIG),
        ("452 4.3.1", Reason.SYSTEM_FULL),
        ("421 4.4.2", Reason.NETWORK_ERROR),
        ("550 5.4.4", Reason.HOST_UNKNOWN),
        ("450 4.4.4", Reason.NETWORK_ERROR),
        ("554 5.4.7", Reason.EXPIRED),
        ("554 5.6.0", Reason.MALFORMED),
        ("550 5.7.1", Reason.POLICY),
        ("550 5.7.23", Reason.AUTH_FAILURE),
        ("550 5.7.25", Reason.MISSING_PTR),
        ("550 5.7.515", Reason.AUTH_FAILURE),
        ("550 5.7.630", Reason.BLOCKED),
        ("550 5.2.122", Reason.RECIPIENT_BUSY),
    ],
)
def test_a_code_without_words_gives_its_reason(text: str, reason: Reason) -> None:
    assert classify(parse_reply(text), action="failed").reason is reason


def test_security_codes_never_suppress_but_for_closed_mailboxes() -> None:
    closed = {Reason.DISABLED, Reason.MOVED, Reason.MEMBERS_ONLY}
    for code, entry in status_registry().items():
        if code.startswith("X.7.") and entry.reason and entry.reason not in closed:
            assert meaning_of(entry.reason).action is not Action.SUPPRESS, code


def test_a_range_of_codes_covers_both_ends_and_no_more() -> None:
    assert status_entry(EnhancedStatus(5, 7, 606)) is not None
    assert status_entry(EnhancedStatus(5, 7, 649)) is not None
    assert status_entry(EnhancedStatus(5, 7, 650)) is None
    assert status_entry(None) is None
