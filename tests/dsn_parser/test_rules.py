"""Every rule is right about the reply it was written for, alone and in the sentences that servers wrap replies in."""

from __future__ import annotations

import pytest

from config.vocabulary import Reply
from dsn_parser.classify import classify, verdict_of
from dsn_parser.reply import parse_reply
from dsn_parser.rules import RULES_FOLDER, Rule, Tier, is_of, mask_addresses, rule_book

RULES = rule_book().rules

# What the world's servers put around a reply when they report it.
WRAPPINGS = [
    "host mx.example.com[192.0.2.20] said: {} (in reply to RCPT TO command)",
    "X-Postfix; host mx.example.com[192.0.2.20] said: {} (in reply to end of DATA command)",
    "SMTP error from remote mail server after RCPT TO:<ida@example.com>: host mx.example.com [192.0.2.20]: {}",
    "192.0.2.20 does not like recipient. Remote host said: {} Giving up on 192.0.2.20.",
    "The following message to <ida@example.com> was undeliverable. The reason for the problem: {}",
]

# Rules whose words are a whole text, or a sentence that ends with the words.
BARE_WORDS = {"^", "$"}


def _site(rule: Rule) -> str:
    return f"mx.{rule.sites[0]}" if rule.sites else ""


def _is_bare(rule: Rule) -> bool:
    return any(mark in rule.pattern for mark in BARE_WORDS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.example[:60])
def test_a_rule_decides_its_own_example(rule: Rule) -> None:
    reply = parse_reply(rule.example)
    verdict = classify(reply, site=_site(rule), action="failed")
    assert verdict.reason is rule.reason, verdict.rule
    assert rule in rule_book().all(reply, _site(rule))


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_reply_means_the_same_when_a_server_reports_it(wrapping: str) -> None:
    sure = [rule for rule in RULES if rule.tier is Tier.SURE and not _is_bare(rule)]
    changed = [rule.example for rule in sure if _judged(wrapping.format(rule.example)) != _judged(rule.example)]
    assert len(changed) <= len(sure) // 100, changed


def _judged(text: str) -> tuple[str, str]:
    verdict = classify(parse_reply(text), action="failed")
    return verdict.fault, verdict.action


def test_there_are_enough_texts_and_reasons() -> None:
    assert len(RULES) >= 400
    assert len({rule.reason for rule in RULES}) >= 30


def test_no_pattern_is_written_twice_and_no_example_is_missing() -> None:
    assert len({rule.pattern for rule in RULES}) == len(RULES)
    assert all(len(rule.example) >= 3 for rule in RULES)


def test_every_file_of_rules_stands_in_the_order() -> None:
    assert {rule.file for rule in RULES} == {path.name for path in RULES_FOLDER.glob("*.toml")} - {"order.toml"}


def test_receivers_own_rules_come_first_and_vague_words_last() -> None:
    assert [rule.tier for rule in RULES] == sorted(rule.tier for rule in RULES)


def test_words_inside_a_members_address_match_no_rule() -> None:
    assert mask_addresses("<virus.spam-blocked@mailbox-full.example>: hello") == "<a@b>: hello"
    reply = parse_reply("550 5.1.1 <blacklisted.spammer@spamhaus.example>: User unknown")
    assert classify(reply) == verdict_of(classify(reply).reason, classify(reply).rule)
    assert classify(reply).reason == "user_unknown"


def test_a_rule_for_one_receiver_holds_only_there() -> None:
    reply = parse_reply("550 Unknown user")
    assert classify(reply, site="lsean.ezweb.ne.jp").reason == "filtered"
    assert classify(reply, site="mx.example.com").reason == "user_unknown"


def test_a_site_is_a_name_or_lies_under_it() -> None:
    assert is_of("mx1.Example.com.", ("example.com",))
    assert is_of("example.com", ("example.com",))
    assert not is_of("notexample.com", ("example.com",))
    assert not is_of("", ("example.com",))


def test_long_hostile_text_is_matched_in_linear_time() -> None:
    for text in ("a" * 8192, "user " * 1600, "not not " * 1000, "unable to deliver " * 450):
        classify(Reply(550, None, text))
