"""Delivery status fields (RFC 3464 2, RFC 6533 4) read into one record a recipient, wherever they stand."""

from __future__ import annotations

from dataclasses import dataclass

from dsn_parser.address import is_address, read_address
from dsn_parser.mail import Mail
from dsn_parser.scan import Pattern

RECIPIENT_LIMIT = 1000
VALUE_LIMIT_CHARACTERS = 8192

STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
ACTIONS = frozenset({"failed", "delayed", "delivered", "relayed", "expanded"})

# "5.1.0 - Unknown address error 550-'5.7.1 Access denied' (delivery attempts: 0)": a gateway's guess, the answer.
_QUOTED_ANSWER = Pattern(r"\s([45]\d\d-'.+)'")
_INLINE = Pattern(r"(?im)^[ \t]*(?:final|original)-recipient[ \t]*:")
_PER_RECIPIENT = frozenset(
    {"final-recipient", "original-recipient", "action", "status", "diagnostic-code", "remote-mta", "x-actual-recipient"}
)
_OF_MESSAGE = frozenset({"reporting-mta", "received-from-mta", "arrival-date", "original-envelope-id"})
_OTHERS = frozenset(
    {"last-attempt-date", "will-retry-until", "final-log-id", "x-supplementary-info", "x-notes-diagnostic-code"}
    | {"x-smtp-diagnostic", "x-display-name", "x-powermta-bouncecategory"}
)
_KNOWN = _PER_RECIPIENT | _OF_MESSAGE | _OTHERS
_ADDRESSES = ("final-recipient", "original-recipient", "x-actual-recipient")
_DIAGNOSTICS = ("diagnostic-code", "x-supplementary-info", "x-notes-diagnostic-code", "x-smtp-diagnostic")


@dataclass(frozen=True, slots=True)
class StatusRecord:
    """What the fields of a report say of one recipient.

    `recipient` is the address that failed or, where that is no internet address, the one that was asked for; `action`
    is one of RFC 3464 2.3.3 or ""; `diagnostic` are the words of the refusal and `quoted_answer` what a gateway quotes
    in them of the other server; `remarks` are the reporting server's own words: a comment, PowerMTA's category. What it
    remarks on the state of the mailbox (X.2.Y) belongs to the diagnosis.
    """

    recipient: str = ""
    original_recipient: str = ""
    action: str = ""
    status: str = ""
    diagnostic: str = ""
    quoted_answer: str = ""
    remarks: str = ""
    remote_mta: str = ""


@dataclass(frozen=True, slots=True)
class StatusReport:
    """All records of a mail, with the fields that hold for the whole message."""

    reporting_mta: str = ""
    envelope_id: str = ""
    records: tuple[StatusRecord, ...] = ()


def has_status(mail: Mail, notice: str) -> bool:
    """Tell whether a mail brings delivery status fields, as a part of their own or within its notice."""
    return any(True for _ in mail.of_type(*STATUS_TYPES)) or _INLINE.matches(notice)


def without_status(notice: str) -> str:
    """The notice before the status fields that it spells out, whole where it has none."""
    return notice[: _INLINE_START.position(notice)] if _INLINE.matches(notice) else notice


def read_status(mail: Mail, notice: str) -> StatusReport | None:
    """Read every delivery-status part, else the fields written into the notice; None where there are neither."""
    texts = [part.text for part in mail.of_type(*STATUS_TYPES)]
    if not any(_INLINE.matches(text) for text in texts):
        texts += [notice[_INLINE_START.position(notice) :]] if _INLINE.matches(notice) else []
    return _read_fields(texts) if texts else None


_INLINE_START = Pattern(
    r"(?im)^[ \t]*(?:reporting-mta|final-recipient|original-recipient|action|status|diagnostic-code)[ \t]*:"
)


def _read_fields(texts: list[str]) -> StatusReport:
    groups: list[dict[str, str]] = []
    message: dict[str, str] = {}
    for text in texts:
        current: dict[str, str] = {}
        for name, value in _fields(text):
            if _begins_another(name, current):
                groups.append(current)
                current = {}
            if name:
                (current if current or name in _PER_RECIPIENT else message).setdefault(name, value)
        groups.append(current)
    records = tuple(_record(fields) for fields in groups[:RECIPIENT_LIMIT] if fields)
    return StatusReport(_behind_type(message, "reporting-mta"), message.get("original-envelope-id", ""), records)


def _begins_another(name: str, current: dict[str, str]) -> bool:
    """A blank line ends a record that has a recipient; so does a field that it has already."""
    if not name:
        return "final-recipient" in current or "original-recipient" in current
    return name in _PER_RECIPIENT and name in current


def _record(fields: dict[str, str]) -> StatusRecord:
    addresses = [read_address(fields.get(name, "")) for name in _ADDRESSES]
    action = fields.get("action", "").partition("(")[0].strip().lower()
    diagnostic = " ".join(fields[name] for name in _DIAGNOSTICS if name in fields)
    comment = fields.get("status", "").partition("(")[2].rstrip(") ")
    if comment and diagnostic and ".2." in fields["status"][:6]:
        diagnostic, comment = f"{diagnostic} ({comment})", ""
    return StatusRecord(
        recipient=next((address for address in addresses if is_address(address)), ""),
        original_recipient=addresses[1],
        action=action if action in ACTIONS else "",
        status=fields.get("status", ""),
        diagnostic=diagnostic,
        quoted_answer=_QUOTED_ANSWER.find(diagnostic).replace("-'", " ", 1) if "'" in diagnostic else "",
        remarks=f"{comment} {fields.get('x-powermta-bouncecategory', '')}".strip(),
        remote_mta=_behind_type(fields, "remote-mta"),
    )


def _behind_type(fields: dict[str, str], name: str) -> str:
    return fields.get(name, "").rpartition(";")[2].strip()


def _fields(text: str) -> list[tuple[str, str]]:
    """Name and unfolded value of each known field, ("", "") for a blank line; a broken line continues the last."""
    fields: list[tuple[str, str]] = []
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if colon and name in _KNOWN:
            fields.append((name, value.strip()))
        elif not line.strip():
            fields.append(("", ""))
        elif fields and fields[-1][0] and not _is_other_field(line, name, bool(colon)):
            fields[-1] = (fields[-1][0], f"{fields[-1][1]} {line.strip()}"[:VALUE_LIMIT_CHARACTERS])
    return fields


def _is_other_field(line: str, name: str, has_colon: bool) -> bool:
    return has_colon and not line[:1].isspace() and name.startswith("x-") and " " not in name
