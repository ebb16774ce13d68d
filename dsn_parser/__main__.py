"""`python -m dsn_parser PATH…`: one JSON object a line for each (mail, recipient); `-` is standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import orjson

from dsn_parser.mailbox import split_mailbox
from dsn_parser.read_report import read_report
from dsn_parser.report import Finding, Report


def main(arguments: list[str]) -> int:
    """Read every mail under the paths; 0 when all could be opened, 1 when some could not, 2 without a path."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        print("usage: python -m dsn_parser PATH... | -", file=sys.stderr)
        return 2
    unreadable = 0
    for path in (file for argument in arguments for file in _files(argument)):
        try:
            raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        except OSError as problem:
            print(f"{path}: {problem.strerror}", file=sys.stderr)
            unreadable += 1
            continue
        for mail in split_mailbox(raw):
            _write(path, read_report(mail))
    return 1 if unreadable else 0


def _files(argument: str) -> Iterator[str]:
    """The files of a folder in order, as the folder's name was given; a file or `-` is itself."""
    folder = Path(argument)
    if argument == "-" or not folder.is_dir():
        yield argument
        return
    yield from (str(path) for path in sorted(folder.rglob("*")) if path.is_file())


def _write(path: str, report: Report) -> None:
    lines = [_line(path, report, finding) for finding in report.findings]
    for line in lines or [{"path": path, "kind": report.kind.value, "status": "none"}]:
        sys.stdout.buffer.write(orjson.dumps(line) + b"\n")


def _line(path: str, report: Report, finding: Finding) -> dict[str, str | int]:
    verdict, reply = finding.verdict, finding.reply
    return {
        "path": path,
        "recipient": finding.recipient,
        "status": verdict.status.value,
        "reason": verdict.reason.value,
        "fault": verdict.fault.value,
        "action": verdict.action.value,
        "code": reply.code or "",
        "enhanced": str(reply.enhanced or ""),
        "diagnostic": reply.text,
        "kind": report.kind.value,
        "rule": verdict.rule,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
