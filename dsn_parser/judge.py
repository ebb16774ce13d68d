"""Which of the words that a report gives for one recipient tells most, and what it means."""

from __future__ import annotations

from collections.abc import Iterable

from config.vocabulary import Reason, Reply, Verdict
from dsn_parser.classify import classify
from dsn_parser.reply import parse_reply, with_status


def judge(
    candidates: Iterable[str], *, status: str = "", action: str = "failed", site: str = ""
) -> tuple[Reply, Verdict]:
    """Classify each text in order of trust and keep the one that was understood best.

    Words that a rule knows go before an enhanced status, that before a bare code, that before words which only say
    that it failed, and those before nothing.
    """
    best: tuple[Reply, Verdict] | None = None
    for text in candidates:
        if not text:
            continue
        reply = with_status(parse_reply(text), status)
        verdict = classify(reply, site=site, action=action)
        if best is None or _depth(verdict) < _depth(best[1]):
            best = reply, verdict
        if _depth(verdict) == 0:
            break
    if best is None:
        reply = with_status(Reply(0), status)
        best = reply, classify(reply, site=site, action=action)
    return best


def _depth(verdict: Verdict) -> int:
    if verdict.reason is Reason.FAILED:
        return 3
    if "/" in verdict.rule or verdict.rule.startswith("action"):
        return 0
    return {"enhanced": 1, "code": 2}.get(verdict.rule.partition(" ")[0], 4)
