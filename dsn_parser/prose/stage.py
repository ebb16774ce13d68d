"""Which command of the session was refused, told by the words with which mailers report it."""

from __future__ import annotations

from config.vocabulary import Stage
from dsn_parser.scan import Pattern

# "(in reply to MAIL FROM command)", "after pipelined MAIL FROM:<…>", "did not like our EHLO", "but greeting failed".
_REFUSED = Pattern(
    r"(?i)(?:in reply to|\bafter|did not like our)(?: (?:the|pipelined))? "
    r"(initial connection|connect\b|mail from|ehlo|helo|starttls|(?:end of |final )?data\b)"
    r"|\bbut (?:my |the )?(greeting|name|sender) (?:failed|was rejected)"
    r"|\((?:reading (banner)|after (?:sending )?(mail from|ehlo|helo))\)"
)
_STAGES = {
    "initial connection": Stage.CONNECT,
    "connect": Stage.CONNECT,
    "greeting": Stage.BANNER,
    "banner": Stage.BANNER,
    "name": Stage.HELO,
    "ehlo": Stage.HELO,
    "helo": Stage.HELO,
    "starttls": Stage.STARTTLS,
    "mail from": Stage.MAIL,
    "data": Stage.DATA,
    "end of data": Stage.DOT,
    "final data": Stage.DOT,
    "sender": Stage.MAIL,
}


def refused_stage(text: str) -> str:
    """The stage other than RCPT at which the words say the refusal came, as `classify` takes it; else ""."""
    named = "".join(_REFUSED.groups(text)).lower()
    return _STAGES.get(named, "")
