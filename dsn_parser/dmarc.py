"""DMARC aggregate reports (RFC 7489 7.2, RFC 9990) recognised and read into rows; no DOCTYPE, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from dsn_parser.inflate import is_packed, unpack
from dsn_parser.mail import Mail, Part
from dsn_parser.report import DmarcRow
from dsn_parser.scan import any_of

ROW_LIMIT = 100_000
DEPTH_LIMIT = 32
TEXT_LIMIT_CHARACTERS = 1024

_SUBJECT = any_of(r"report[ -]?domain:.*submitter:", r"dmarc (?:aggregate )?report", r"^\s*report domain")
_NAME = any_of(r"^[^!\s]+![^!\s]+!\d+!\d+.*\.(?:xml|gz|zip)$", r"dmarc.*\.(?:xml|xml\.gz|zip)$")
_TYPES = frozenset(
    {
        "application/gzip",
        "application/x-gzip",
        "application/zip",
        "application/x-zip-compressed",
        "application/xml",
        "text/xml",
    }
)


_WANTED = frozenset(
    {"report_metadata/org_name", "report_metadata/date_range/begin", "report_metadata/date_range/end"}
    | {"policy_published/domain", "record/row/source_ip", "record/row/count", "record/identifiers/header_from"}
    | {f"record/row/policy_evaluated/{name}" for name in ("disposition", "dkim", "spf")}
)


def is_dmarc_report(mail: Mail) -> bool:
    """Tell an aggregate report by the file's name (RFC 7489 7.2.1.1) or by subject and attachment together."""
    return any(True for _ in _report_parts(mail))


def read_dmarc_rows(mail: Mail) -> tuple[DmarcRow, ...]:
    """Read every record of the attached reports; raises OverLimitError past 25 MB, ValueError where one is damaged."""
    return tuple(row for part in _report_parts(mail) for row in read_dmarc_xml(unpack(part)))


def _report_parts(mail: Mail) -> Iterator[Part]:
    for part in mail.attachments:
        titled = _SUBJECT.matches(mail.headers.text("subject"))
        if _NAME.matches(part.filename) or (titled and (part.media_type in _TYPES or is_packed(part))):
            yield part


def read_dmarc_xml(document: bytes) -> tuple[DmarcRow, ...]:
    """Read the rows of one aggregate report; raises ValueError where it is no such document or brings a DOCTYPE."""
    reader = _FeedbackReader()
    try:
        reader.parser.Parse(document, True)
    except expat.ExpatError as damage:
        raise ValueError("damaged report") from damage
    return tuple(reader.rows)


class _FeedbackReader:
    """Walks `feedback` without building a tree: paths of names to texts, a row at each closing `record`."""

    def __init__(self) -> None:
        self.rows: list[DmarcRow] = []
        self._path: list[str] = []
        self._texts: dict[str, str] = {}
        self._meta: dict[str, str] = {}
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.StartElementHandler = self._open
        self.parser.EndElementHandler = self._close
        self.parser.CharacterDataHandler = self._read
        self.parser.StartDoctypeDeclHandler = _refuse
        self.parser.EntityDeclHandler = _refuse

    def _open(self, name: str, _attributes: dict[str, str]) -> None:
        if len(self._path) >= DEPTH_LIMIT:
            raise ValueError("too deep")
        self._path.append(name.rpartition("}")[2])

    def _read(self, text: str) -> None:
        key = "/".join(self._path[1:])
        if key not in _WANTED:
            return
        texts = self._texts if key.startswith("record/") else self._meta
        texts[key] = (texts.get(key, "") + text)[:TEXT_LIMIT_CHARACTERS]

    def _close(self, _name: str) -> None:
        if self._path[1:] == ["record"]:
            if len(self.rows) >= ROW_LIMIT:
                raise ValueError("too many rows")
            self.rows.append(_row(self._meta, self._texts))
            self._texts = {}
        self._path.pop()


def _refuse(*_declaration: object) -> None:
    raise ValueError("a report needs no DOCTYPE")


def _row(meta: dict[str, str], record: dict[str, str]) -> DmarcRow:
    def of(key: str) -> str:
        return record.get(f"record/{key}", "").strip()

    return DmarcRow(
        reporter=meta.get("report_metadata/org_name", "").strip(),
        domain=meta.get("policy_published/domain", "").strip(),
        source_ip=of("row/source_ip"),
        count=_number(of("row/count")),
        disposition=of("row/policy_evaluated/disposition"),
        dkim=of("row/policy_evaluated/dkim"),
        spf=of("row/policy_evaluated/spf"),
        header_from=of("identifiers/header_from"),
        begin_epoch_seconds=_number(meta.get("report_metadata/date_range/begin", "")),
        end_epoch_seconds=_number(meta.get("report_metadata/date_range/end", "")),
    )


def _number(text: str) -> int:
    digits = text.strip()[:18]
    return int(digits) if digits.isascii() and digits.isdigit() else 0
