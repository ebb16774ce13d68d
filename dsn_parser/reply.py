"""One SMTP answer, or the words a report quotes of one, made into a Reply: code, enhanced status, text."""

from __future__ import annotations

import re2

from config.vocabulary import EnhancedStatus, Reply

MAX_TEXT_CHARACTERS = 8192

_CONTROLS_TO_SPACE = dict.fromkeys((*range(0x20), 0x7F), " ")

# The subject has one digit in every registered code: two are a version number.
_STATUS = r"[245]\.\d\.\d{1,3}"

# "smtp; 550 …", "X-Postfix; …", "x-unix; …": the diagnostic type of RFC 3464 2.3.6.
_DIAGNOSTIC_TYPE = re2.compile(r"^(?i:smtp|dns|x400|x-[\w.-]+|unix|local|unknown|mts|notes) ?; ?")
# "5.1.0 - Unknown address error 550-'5.1.1 …' (delivery attempts: 0)": a gateway's gloss before the receiver's words.
_GLOSS = re2.compile(rf"^{_STATUS} - [^']{{1,80}} ([45]\d\d)-'")
_FRONT = re2.compile(
    r"^[ \"'(\[<]*(?:#?([2345]\d\d)(?:[ =-]+|$|[,:;#)]+ *))?"
    rf"(?:[\[(]?#? ?({_STATUS})(?:[ :;,)\]=-]+|$))?"
)
_CODE_BEFORE_STATUS = re2.compile(rf"(?:^|[^\d.])([45]\d\d)[ -]+[#(\[]?{_STATUS}(?:[^\d.]|$)")
_CODE_INSIDE = re2.compile(
    r"(?i)(?:said|says|error|status|code|response|reply|antwort|r[eé]ponse|svar|returned|was|smtp|with|\(state \d+\)"
    r"|[:;>#(]) *[:=#(\"'<]* *([45]\d\d)(?:[ \"'):,;-]|$)"
)
_STATUS_INSIDE = re2.compile(rf"(?:^|[^\w.])#?({_STATUS})(?:[^\d.\w]|\.?(?: |$))")


def parse_reply(text: str | bytes) -> Reply:
    """Read code, enhanced status and text out of an SMTP reply (RFC 5321 4.2, RFC 2034) or a report's diagnostic.

    Lines of one reply are joined by a space, and their repeated codes dropped. What is not there is 0, None or "".
    At most 8192 characters are looked at.
    """
    if isinstance(text, bytes):
        text = text[: 4 * MAX_TEXT_CHARACTERS].decode("utf-8", "replace")
    words = _own_words(" ".join(text[:MAX_TEXT_CHARACTERS].translate(_CONTROLS_TO_SPACE).split()))
    code, enhanced, rest = _take_front(words)
    code = code or _find_code(words)
    enhanced = enhanced or read_enhanced(rest)
    return Reply(code, enhanced, _drop_repeats(rest, code, enhanced))


def read_enhanced(text: str) -> EnhancedStatus | None:
    """The first enhanced status code in a text, such as a report's Status field (RFC 3463 2); None without one."""
    if "." not in text:
        return None
    found = _STATUS_INSIDE.search(text[:MAX_TEXT_CHARACTERS])
    return _enhanced(found.group(1)) if found else None


def with_status(reply: Reply, status_field: str) -> Reply:
    """The reply with the enhanced status of a report's Status field, where its own words had none (RFC 3464 2.3.4)."""
    if reply.enhanced is not None and (reply.enhanced.subject or reply.enhanced.detail):
        return reply
    return Reply(reply.code, read_enhanced(status_field) or reply.enhanced, reply.text)


def _own_words(words: str) -> str:
    """The receiver's words without what a report puts before them."""
    if ";" in words[:40] and (kind := _DIAGNOSTIC_TYPE.search(words)):
        words = words[kind.end() :]
    if "-'" in words and (gloss := _GLOSS.search(words)):
        words = f"{gloss.group(1)} {words[gloss.end() :]}"
    return words


def _take_front(words: str) -> tuple[int, EnhancedStatus | None, str]:
    found = _FRONT.search(words)
    if found is None or not (found.group(1) or found.group(2)):
        return 0, None, words
    code = int(found.group(1) or 0)
    return code, _enhanced(found.group(2)) if found.group(2) else None, words[found.end() :].strip()


def _find_code(words: str) -> int:
    found = _CODE_BEFORE_STATUS.search(words) or _CODE_INSIDE.search(words)
    return int(found.group(1)) if found else 0


def _enhanced(digits: str) -> EnhancedStatus:
    klass, subject, detail = (int(part) for part in digits.split("."))
    return EnhancedStatus(klass, subject, detail)


def _drop_repeats(rest: str, code: int, enhanced: EnhancedStatus | None) -> str:
    """`550-5.1.1 The account 550-5.1.1 does not exist` without the codes that every line repeats."""
    if not code:
        return rest
    for joint in (f" {code}-{enhanced} ", f" {code} {enhanced} ", f" {code}-"):
        rest = rest.replace(joint, " ")
    return rest
