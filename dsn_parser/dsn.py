"""Delivery status fields (RFC 3464 2, RFC 6533 4) read into one record a recipient, wherever they stand."""

from __future__ import annotations

from dataclasses import dataclass, field

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


@dataclass(slots=True)
class StatusRecord:
    """The fields that a report gives for one recipient."""

    fields: dict[str, str] = field(default_factory=dict)

    @property
    def recipient(self) -> str:
        """The address that failed; where that is no internet address, the one that was asked for."""
        values = [
            read_address(self.fields.get(name, ""))
            for name in ("final-recipient", "original-recipient", "x-actual-recipient")
        ]
        return next((value for value in values if is_address(value)), "")

    @property
    def original_recipient(self) -> str:
        return read_address(self.fields.get("original-recipient", ""))

    @property
    def action(self) -> str:
        """The Action field without the comment that some mailers add, or "" where it is none of RFC 3464 2.3.3."""
        word = self.fields.get("action", "").partition("(")[0].strip().lower()
        return word if word in ACTIONS else ""

    @property
    def diagnostic(self) -> str:
        """The words of the refusal."""
        names = ("diagnostic-code", "x-supplementary-info", "x-notes-diagnostic-code", "x-smtp-diagnostic")
        return " ".join(value for name in names if (value := self.fields.get(name, "")))

    @property
    def quoted_answer(self) -> str:
        """What a gateway quotes of the other server beside its own guess, or ""."""
        return _QUOTED_ANSWER.find(self.diagnostic).replace("-'", " ", 1)

    @property
    def status(self) -> str:
        return self.fields.get("status", "")

    @property
    def remarks(self) -> str:
        """What the report adds in its own words: the comment behind the status, PowerMTA's category."""
        return " ".join(
            (self.status.partition("(")[2].rstrip(") "), self.fields.get("x-powermta-bouncecategory", ""))
        ).strip()

    @property
    def remote_mta(self) -> str:
        return self.fields.get("remote-mta", "").rpartition(";")[2].strip()


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
    records: list[StatusRecord] = []
    message: dict[str, str] = {}
    for text in texts:
        current = StatusRecord()
        for name, value in _fields(text):
            if _begins_another(name, current):
                _keep(current, records)
                current = StatusRecord()
            if not name:
                continue
            (current.fields if name in _PER_RECIPIENT or current.fields else message).setdefault(name, value)
        _keep(current, records)
    reporting = message.get("reporting-mta", "").rpartition(";")[2].strip()
    return StatusReport(reporting, message.get("original-envelope-id", ""), tuple(records))


def _begins_another(name: str, current: StatusRecord) -> bool:
    """A blank line ends a record that has a recipient; so does a field that it has already."""
    if not name:
        return "final-recipient" in current.fields or "original-recipient" in current.fields
    return name in _PER_RECIPIENT and name in current.fields


def _keep(record: StatusRecord, records: list[StatusRecord]) -> None:
    if record.fields and len(records) < RECIPIENT_LIMIT:
        records.append(record)


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
