"""What stands around an answer changes nothing: a mailer's own sentences, queue ids, times, addresses of hosts."""

from __future__ import annotations

import random
import string

import pytest

from config.vocabulary import Reason, Reply
from dsn_parser.classify import classify
from dsn_parser.prose.notice import read_notice
from dsn_parser.reply import parse_reply
from dsn_parser.rules import rule_book

TOKENS = 4000
SENTENCES = [
    "This message was created automatically by mail delivery software.",
    "A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.",
    "I'm afraid I wasn't able to deliver your message to the following addresses. Sorry it didn't work out.",
    "----- The following addresses had permanent fatal errors -----",
    "----- Transcript of session follows -----",
    "... while talking to mx.example.org.:",
    "Google tried to deliver your message, but it was rejected by the recipient domain.",
    "Technical details of temporary failure:",
    "An error has occurred while attempting to deliver a message for\nthe following list of recipients:",
    "This is the mail delivery agent at mail.example.org.",
    "Please do not reply to this email as it is sent from an unattended mailbox.",
    "We're sorry. There's a problem with the e-mail address(es) you're trying to send to. Please verify the\n"
    "address(es) and try again. If you continue to have problems, please contact Customer Support at (555) 555-0100.",
    "A transcript of the attempts to send the message follows.\nThe number of attempts made: 14",
    "This has been a permanent failure.  No further delivery attempts will be made.",
    "After one or more unsuccessful delivery attempts the attached message has\nbeen removed from the mail queue on "
    "this server.  The number and frequency\nof delivery attempts are determined by local configuration parameters.",
    'The reason your mail is being returned to you is listed in the section\nlabeled: "-- Transcript of Session --"',
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_mailers_own_sentence_is_no_reason(sentence: str) -> None:
    words = read_notice(sentence).words_for_all
    assert classify(parse_reply(words), action="failed").reason in {Reason.UNDEFINED, Reason.FAILED}


def test_ids_times_and_numbers_say_nothing() -> None:
    found = {rule.name for token in _tokens() for rule in rule_book().all(Reply(550, None, f"x {token} y"))}
    assert found == set()


def test_an_answer_means_the_same_with_ids_behind_it() -> None:
    reasons = {classify(parse_reply(f"550 5.1.1 User unknown {token}")).reason for token in _tokens()}
    assert reasons == {Reason.USER_UNKNOWN}


def _tokens() -> list[str]:
    dice = random.Random(20)
    return [_token(dice) for _ in range(TOKENS)]


def _token(dice: random.Random) -> str:
    """A queue id, a hexadecimal id, a number, an IP address, a time, or the way Google signs an answer."""
    letters = "".join(dice.choices(string.ascii_lowercase, k=3))
    number = dice.randrange(10**10)
    return dice.choice(
        [
            "".join(dice.choices("0123456789ABCDEF", k=11)),
            f"{dice.getrandbits(64):016x}",
            str(number),
            ".".join(str(dice.randrange(256)) for _ in range(4)),
            f"{number % 24:02}:{number % 60:02}:{number % 59:02}",
            f"{letters}si{number}.{number % 1000} - gsmtp",
        ]
    )
