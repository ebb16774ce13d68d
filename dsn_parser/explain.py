"""Why one answer is judged as it is, in plain words: for `brevduva explain-reply` and the page about a member."""

from __future__ import annotations

from dataclasses import dataclass

from config.vocabulary import Action, Fault, Reply, Verdict, VerdictStatus
from dsn_parser.classify import classify
from dsn_parser.hints import site_reaction, wait_hint_seconds
from dsn_parser.reply import parse_reply
from dsn_parser.rules import Rule, rule_book
from dsn_parser.status_codes import status_entry

WHAT_TO_DO: dict[Fault, str] = {
    Fault.RECIPIENT_ADDRESS: "Ask the member for the right address; correcting it on the card starts afresh.",
    Fault.RECIPIENT_MAILBOX: "Reach the member another way: the mailbox takes no mail for now.",
    Fault.REMOTE: "Nothing: it is tried again, and the receiver's own people usually notice.",
    Fault.SENDER: "Mend our sending (reputation, DNS, authentication or pace); the member has done nothing.",
    Fault.CONTENT: "Look at what the mailing says, links to and carries; the member has done nothing.",
    Fault.COMPLAINT: "Send the member nothing more unless they ask for it.",
    Fault.OPTOUT: "Send the member nothing more unless they ask for it.",
    Fault.DELAY: "Wait: it is tried again by itself.",
    Fault.UNKNOWN: "Read the receiver's words; if they recur, write a rule for them.",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One answer, what it was taken for, and the rule that said so (None where a code did)."""

    reply: Reply
    verdict: Verdict
    rule: Rule | None
    sentences: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.sentences)


def explain_reply(text: str, site: str = "") -> Explanation:
    """Judge a live answer from `site` (the receiver's operator or domain) and say why, in sentences for people."""
    reply = parse_reply(text)
    verdict = classify(reply, site=site)
    rule = next((rule for rule in rule_book().all(reply, site) if rule.name == verdict.rule), None)
    sentences = (
        *_what_was_read(reply, verdict),
        _what_told(reply, verdict, rule),
        *_what_follows(reply, verdict, site),
    )
    return Explanation(reply, verdict, rule, sentences)


def _what_was_read(reply: Reply, verdict: Verdict) -> tuple[str, str]:
    return (
        f"The receiver answered: {reply}",
        f"That means {verdict.reason} ({verdict.reason.label}): {verdict.reason.sentence}",
    )


def _what_told(reply: Reply, verdict: Verdict, rule: Rule | None) -> str:
    if rule:
        where = f"a rule in config/bounce_rules/{rule.file}, pattern /{rule.pattern}/"
        return f"Told by its words: {where}, written for “{rule.example}”."
    if verdict.rule.startswith("enhanced") and (entry := status_entry(reply.enhanced)):
        return f"Told by its enhanced status {reply.enhanced}, “{entry.sample}”: {entry.description}"
    if verdict.rule.startswith("code"):
        return f"Told by its code {reply.code} alone: no rule knows the words."
    return "Nothing in it is known: neither words, enhanced status nor code tell why."


def _what_follows(reply: Reply, verdict: Verdict, site: str) -> tuple[str, ...]:
    lines = [f"{_message(verdict)} Whose fault: {verdict.fault} ({verdict.fault.label})."]
    lines.append(f"The member's address: {_address(verdict.action)}")
    if seconds := wait_hint_seconds(reply):
        lines.append(f"The receiver asks us to wait {seconds} seconds.")
    if reaction := _reaction(reply, site):
        lines.append(reaction)
    if verdict.fault in WHAT_TO_DO:
        lines.append(f"What to do: {WHAT_TO_DO[verdict.fault]}")
    return tuple(lines)


def _message(verdict: Verdict) -> str:
    status = verdict.status.message_status
    if status is None:
        return "The message keeps its status."
    if verdict.status is VerdictStatus.DELIVERED:
        return f"The message counts as {status} ({status.label})."
    return f"The message becomes {status} ({status.label}): {status.sentence}"


def _address(action: Action) -> str:
    return f"{action.sentence[0].lower()}{action.sentence[1:]}"


def _reaction(reply: Reply, site: str) -> str:
    reaction = site_reaction(reply, site)
    return f"For the whole site: {reaction} ({reaction.label}). {reaction.sentence}" if reaction != "none" else ""
