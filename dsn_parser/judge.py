"""Which of the words that a report gives for one recipient tells most, and what it means."""

from __future__ import annotations

from collections.abc import Iterable

from config.vocabulary import Reason, Reply, Verdict
from dsn_parser.classify import classify
from dsn_parser.reply import parse_reply, with_status

UNDERSTOOD, BY_STATUS, BY_CODE, BY_HINT, ONLY_FAILED, NOT_UNDERSTOOD = range(6)
_DEPTHS = {"enhanced": BY_STATUS, "code": BY_CODE, "hints.toml": BY_HINT}

SILENCE_LIMIT_WORDS = 3
"""No more words than these, a name among them, say nothing that could be a reason."""


def judge(
    candidates: Iterable[str], *, status: str = "", action: str = "failed", site: str = ""
) -> tuple[Reply, Verdict]:
    """Classify each text in order of trust and keep the one that was understood best.

    Words that a rule knows go before an enhanced status, that before a bare code, that before a hint, that before words
    which only say that it failed, and those before nothing; but an answer with a code, or a sentence nearer to the
    recipient, that nobody understands stays so, however surely the words around it say that it failed.
    """
    judged: list[tuple[Reply, Verdict]] = []
    for text in candidates:
        if not text:
            continue
        reply = with_status(parse_reply(text), status)
        judged.append((reply, classify(reply, site=site, action=action)))
        if _depth(judged[-1]) == UNDERSTOOD:
            break
    if not judged:
        silence = with_status(Reply(0), status)
        return silence, classify(silence, site=site, action=action)
    best = min(judged, key=_depth)
    if _depth(best) != ONLY_FAILED:
        return best
    before = judged[: judged.index(best)]
    return next((unclear for unclear in judged if _says_more(unclear, before)), best)


def _says_more(judged: tuple[Reply, Verdict], before: list[tuple[Reply, Verdict]]) -> bool:
    """Tell words that nobody understands from none: an answer with a code, or a sentence nearer to the recipient."""
    if _depth(judged) != NOT_UNDERSTOOD:
        return False
    return bool(judged[0].code) or (judged in before and len(judged[0].text.split()) > SILENCE_LIMIT_WORDS)


def _depth(judged: tuple[Reply, Verdict]) -> int:
    _, verdict = judged
    if verdict.reason is Reason.FAILED:
        return ONLY_FAILED
    return _DEPTHS.get(verdict.rule.partition(" ")[0], UNDERSTOOD if verdict.rule else NOT_UNDERSTOOD)
