"""What an answer means: by the receiver's words, else by its enhanced status, else by its code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from config.vocabulary import Action, Fault, Reason, Reply, Stage, Verdict, VerdictStatus
from dsn_parser.rules import Tier, klass_of, rule_book
from dsn_parser.status_codes import reason_of_status

DELIVERED_ACTIONS = frozenset({"delivered", "relayed", "expanded"})

# What a refusal that seems to be about a recipient means where none has been named yet.
STAGES_BEFORE_RECIPIENT: dict[str, Reason] = {
    Stage.CONNECT: Reason.BLOCKED,
    Stage.BANNER: Reason.BLOCKED,
    Stage.HELO: Reason.POLICY,
    Stage.STARTTLS: Reason.SECURITY,
    Stage.MAIL: Reason.SENDER_REJECTED,
}
# Every recipient had been accepted by then: what a refusal of the mail itself means where its words say nothing.
STAGES_OF_CONTENT: frozenset[str] = frozenset({Stage.DATA, Stage.DOT})
RECIPIENTS_FAULTS = frozenset({Fault.RECIPIENT_ADDRESS, Fault.RECIPIENT_MAILBOX, Fault.UNKNOWN})

# Codes of RFC 5321 4.2.3 and its extensions, for answers without words or enhanced status.
REASON_OF_CODE: dict[int, Reason] = {
    421: Reason.THROTTLED,
    450: Reason.DELAYED,
    451: Reason.DELAYED,
    452: Reason.SYSTEM_FULL,
    552: Reason.MAILBOX_FULL,
    556: Reason.NULL_MX,
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a reason makes of the message, whose fault it is, and what it does to the address."""

    status: VerdictStatus
    fault: Fault
    action: Action


_NO_SUCH_ADDRESS = Meaning(VerdictStatus.INVALID, Fault.RECIPIENT_ADDRESS, Action.SUPPRESS)
_GONE_AWAY = Meaning(VerdictStatus.BOUNCED, Fault.RECIPIENT_ADDRESS, Action.SUPPRESS)
_CLOSED_MAILBOX = Meaning(VerdictStatus.BOUNCED, Fault.RECIPIENT_MAILBOX, Action.SUPPRESS)
_BUSY_MAILBOX = Meaning(VerdictStatus.SOFT_BOUNCED, Fault.RECIPIENT_MAILBOX, Action.COUNT)
_TROUBLE_THERE = Meaning(VerdictStatus.SOFT_BOUNCED, Fault.REMOTE, Action.COUNT)
_ONLY_LATE = Meaning(VerdictStatus.DEFERRED, Fault.DELAY, Action.NONE)
_ABOUT_US = Meaning(VerdictStatus.SOFT_BOUNCED, Fault.SENDER, Action.NONE)
_ABOUT_CONTENT = Meaning(VerdictStatus.SOFT_BOUNCED, Fault.CONTENT, Action.NONE)
_NO_BOUNCE = Meaning(VerdictStatus.NONE, Fault.NONE, Action.NONE)
_ARRIVED = Meaning(VerdictStatus.DELIVERED, Fault.NONE, Action.NONE)
_SUPPRESSED_ELSEWHERE = Meaning(VerdictStatus.BLOCKED, Fault.RECIPIENT_ADDRESS, Action.SUPPRESS)

MEANINGS: dict[Reason, Meaning] = {
    Reason.USER_UNKNOWN: _NO_SUCH_ADDRESS,
    Reason.HOST_UNKNOWN: _NO_SUCH_ADDRESS,
    Reason.NULL_MX: _NO_SUCH_ADDRESS,
    Reason.BAD_ADDRESS: _NO_SUCH_ADDRESS,
    Reason.MOVED: _GONE_AWAY,
    Reason.DISABLED: _CLOSED_MAILBOX,
    Reason.MEMBERS_ONLY: _CLOSED_MAILBOX,
    Reason.FILTERED: _CLOSED_MAILBOX,
    Reason.MAILBOX_FULL: _BUSY_MAILBOX,
    Reason.RECIPIENT_BUSY: _BUSY_MAILBOX,
    Reason.EXPIRED: _TROUBLE_THERE,
    Reason.NETWORK_ERROR: _TROUBLE_THERE,
    Reason.SYSTEM_ERROR: _TROUBLE_THERE,
    Reason.SYSTEM_FULL: _TROUBLE_THERE,
    Reason.MAILER_ERROR: _TROUBLE_THERE,
    Reason.RELAYING_DENIED: _TROUBLE_THERE,
    Reason.GREYLISTED: _ONLY_LATE,
    Reason.DELAYED: _ONLY_LATE,
    Reason.THROTTLED: _ONLY_LATE,
    Reason.BLOCKED: _ABOUT_US,
    Reason.BAD_REPUTATION: _ABOUT_US,
    Reason.MISSING_PTR: _ABOUT_US,
    Reason.AUTH_FAILURE: _ABOUT_US,
    Reason.SENDER_REJECTED: _ABOUT_US,
    Reason.POLICY: _ABOUT_US,
    Reason.SECURITY: _ABOUT_US,
    Reason.TOO_MANY_CONNECTIONS: _ABOUT_US,
    Reason.RATE_LIMITED: _ABOUT_US,
    Reason.TLS_REQUIRED: _ABOUT_US,
    Reason.SPAM_CONTENT: _ABOUT_CONTENT,
    Reason.VIRUS: _ABOUT_CONTENT,
    Reason.MALFORMED: _ABOUT_CONTENT,
    Reason.TOO_BIG: _ABOUT_CONTENT,
    Reason.CONTENT_POLICY: _ABOUT_CONTENT,
    Reason.REMOTE_SUPPRESSED: _SUPPRESSED_ELSEWHERE,
    Reason.KNOWN_BAD: _SUPPRESSED_ELSEWHERE,
    Reason.FAILED: Meaning(VerdictStatus.BOUNCED, Fault.UNKNOWN, Action.SUPPRESS),
    Reason.COMPLAINT: Meaning(VerdictStatus.SPAM, Fault.COMPLAINT, Action.SUPPRESS),
    Reason.OPT_OUT: Meaning(VerdictStatus.UNSUBSCRIBED, Fault.OPTOUT, Action.SUPPRESS),
    Reason.OURS: Meaning(VerdictStatus.NONE, Fault.OURS, Action.NONE),
    Reason.AUTO_REPLY: _NO_BOUNCE,
    Reason.PERSONAL: _NO_BOUNCE,
    Reason.ACCEPTED: _ARRIVED,
    Reason.DELIVERED: _ARRIVED,
    Reason.UNCERTAIN: Meaning(VerdictStatus.UNKNOWN, Fault.UNKNOWN, Action.NONE),
    Reason.UNDEFINED: Meaning(VerdictStatus.UNKNOWN, Fault.UNKNOWN, Action.COUNT),
}


def meaning_of(reason: Reason) -> Meaning:
    """Status, fault and action that a reason stands for: the table of CLASSIFICATION.md."""
    return MEANINGS[reason]


@lru_cache(4096)
def verdict_of(reason: Reason, rule: str = "") -> Verdict:
    """The verdict that a reason stands for, as `rule` found it."""
    meaning = MEANINGS[reason]
    return Verdict(meaning.status, reason, meaning.fault, meaning.action, rule)


def classify(reply: Reply, *, site: str = "", action: str = "", stage: str = "") -> Verdict:
    """What one answer means.

    `site` is the receiver's operator or domain where known: some rules hold only there. `action` is the Action field
    of RFC 3464 2.3.3; empty means that the answer was met live, and then a refusal for now never suppresses. `stage`
    is the command that was answered, where known: before RCPT no recipient has been named, so none can be at fault,
    and after DATA all have been accepted, so only words can blame one.
    """
    if action in DELIVERED_ACTIONS:
        return verdict_of(Reason.DELIVERED, f"action {action}")
    if not action and reply.is_positive:
        return verdict_of(Reason.ACCEPTED, f"code {reply.code}")
    reason, rule = find_reason(reply, site)
    if action == "delayed":  # whoever is still trying has not given up, whatever else the notice speaks of
        why = reason if rule and reason is not Reason.EXPIRED else Reason.DELAYED
        return Verdict(VerdictStatus.DEFERRED, why, Fault.DELAY, Action.NONE, rule)
    if stage in STAGES_BEFORE_RECIPIENT and MEANINGS[reason].fault in RECIPIENTS_FAULTS:
        reason = STAGES_BEFORE_RECIPIENT[stage]
    if stage in STAGES_OF_CONTENT and reason in {Reason.UNDEFINED, Reason.FAILED} and klass_of(reply) == 5:
        reason = Reason.CONTENT_POLICY
    verdict = verdict_of(reason, rule)
    return _for_good(verdict, reply) if action == "failed" else _met_live(verdict, reply)


def find_reason(reply: Reply, site: str = "") -> tuple[Reason, str]:
    """The reason and what told it: sure words, else the enhanced status, else vague words and hints, else the code.

    Vague words that mean the same as the status are sure.
    """
    rule = rule_book().first(reply, site)
    if rule and rule.tier < Tier.VAGUE:
        return rule.reason, rule.name
    by_status = reason_of_status(reply.enhanced)
    if by_status and not (rule and MEANINGS[rule.reason] == MEANINGS[by_status]):
        return by_status, f"enhanced {reply.enhanced}"
    if rule:
        return rule.reason, rule.name
    by_code = REASON_OF_CODE.get(reply.code)
    return (by_code, f"code {reply.code}") if by_code else (Reason.UNDEFINED, "")


def _for_good(verdict: Verdict, reply: Reply) -> Verdict:
    """A report that somebody gave up: what was late will not come any more, and silence says only that it failed.

    A name that a server did not find for now may be found tomorrow.
    """
    if verdict.status is VerdictStatus.DEFERRED:
        return replace(verdict, status=VerdictStatus.SOFT_BOUNCED)
    if verdict.reason in {Reason.HOST_UNKNOWN, Reason.NULL_MX} and reply.code // 100 == 4:
        return verdict_of(Reason.NETWORK_ERROR, verdict.rule)
    if verdict.reason is Reason.UNDEFINED and not reply.text and klass_of(reply) != 4:
        return verdict_of(Reason.FAILED, verdict.rule)
    return verdict


def _met_live(verdict: Verdict, reply: Reply) -> Verdict:
    """An answer while we send: "it failed" is no reason yet, and after a 4xx the address is at most counted."""
    if verdict.reason is Reason.FAILED:
        verdict = verdict_of(Reason.UNDEFINED, verdict.rule)
    if klass_of(reply) != 4:
        return verdict
    if verdict.reason is Reason.UNDEFINED:
        return replace(verdict, status=VerdictStatus.DEFERRED, fault=Fault.DELAY, action=Action.NONE)
    if verdict.action is Action.SUPPRESS:
        return replace(verdict, status=VerdictStatus.SOFT_BOUNCED, action=Action.COUNT)
    return verdict
