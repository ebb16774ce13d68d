"""Readers that misbehave in a worker process as a hostile mail might make the real one."""

from __future__ import annotations

import os

from dsn_parser.read_report import read_report
from dsn_parser.report import Report


def burn_cpu(raw: bytes) -> Report:
    while raw.startswith(b"burn"):
        pass
    return read_report(raw)


def swallow_memory(raw: bytes) -> Report:
    hoard = [bytes(1 << 20) for _ in range(1024 if raw.startswith(b"hoard") else 0)]
    return read_report(raw[len(hoard) :])


def vanish(raw: bytes) -> Report:
    if raw.startswith(b"vanish"):
        os._exit(1)
    return read_report(raw)


def stumble(raw: bytes) -> Report:
    if raw.startswith(b"stumble"):
        raise LookupError("a fault of ours")
    return read_report(raw)


def refuse_to_start() -> None:
    """Stand in for the first work of a worker."""
    raise RuntimeError("no worker starts here")
