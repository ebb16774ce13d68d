"""An answer is explained in plain words, with the rule that judged it and what it does to the address."""

from __future__ import annotations

from config.vocabulary import Action
from dsn_parser.explain import explain_reply


def test_a_blocklisting_is_explained_with_its_rule_and_spares_the_member() -> None:
    told = explain_reply("550 5.7.1 Service unavailable; client [192.0.2.25] blocked using zen.spamhaus.org")
    assert told.rule is not None
    assert told.rule.file == "blocked.toml"
    text = str(told)
    assert "config/bounce_rules/blocked.toml" in text
    assert told.rule.example in text
    assert "the address is left alone" in text
    assert "Blockerad avsändare" in text


def test_an_unknown_user_is_explained_with_what_to_do() -> None:
    told = explain_reply("550 5.1.1")
    assert told.rule is None
    assert told.verdict.action is Action.SUPPRESS
    assert "Told by its enhanced status 5.1.1" in str(told)
    assert "Ask the member for the right address" in str(told)


def test_a_greylisting_tells_how_long_to_wait() -> None:
    assert "wait 300 seconds" in str(explain_reply("450 4.7.1 Greylisted, try again in 5 minutes"))


def test_a_rate_limit_tells_what_the_site_wants() -> None:
    assert "Fewer mails in the hour" in str(explain_reply("421 4.7.0 Rate limit exceeded"))


def test_an_acceptance_and_a_bare_code_are_explained() -> None:
    assert "counts as sent" in str(explain_reply("250 OK"))
    assert "Told by its code 552 alone" in str(explain_reply("552 hum"))


def test_unknown_words_say_so() -> None:
    assert "Nothing in it is known" in str(explain_reply("550 hum"))
