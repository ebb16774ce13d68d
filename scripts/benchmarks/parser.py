"""Returned mails read and judged a second on one core, startup excluded, beside stdlib `email` and flufl.bounce."""

from __future__ import annotations

import argparse
import email
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from dsn_parser.read_report import read_report

OWN_MAILS = Path(__file__).parents[2] / "tests" / "dsn_parser" / "mails"
CORPUS = Path(os.environ.get("BREVDUVA_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")

Reader = Callable[[bytes], object]


def main() -> None:
    """Print a line a reader: mails/s of CPU time, best of the rounds, each after a first round that warms it up."""
    parser = argparse.ArgumentParser(prog="scripts/bench parser", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    folder = CORPUS / "mails" if (CORPUS / "truth.jsonl").is_file() else OWN_MAILS
    if folder == OWN_MAILS:
        print("corpus absent (BREVDUVA_CORPUS): our own test mails instead")
    mails = [path.read_bytes() for path in sorted(folder.rglob("*.*")) if path.is_file()]
    ours = 0.0
    for name, reader in _readers():
        speed = max(_mails_per_second(reader, mails) for _ in range(rounds + 1))
        ours = ours or speed
        print(f"{name:28} {speed:8.0f} mails/s   {ours / speed:5.2f} × as fast is dsn_parser")


def _readers() -> Iterator[tuple[str, Reader]]:
    yield "dsn_parser", read_report
    yield "stdlib email (parse only)", lambda raw: list(email.message_from_bytes(raw).walk())
    try:
        from flufl.bounce import all_failures  # noqa: PLC0415 - a peer that may be absent
    except ImportError:
        print("flufl.bounce is not installed")
        return
    yield "flufl.bounce", lambda raw: all_failures(email.message_from_bytes(raw))


def _mails_per_second(reader: Reader, mails: list[bytes]) -> float:
    started = time.process_time()
    for raw in mails:
        reader(raw)
    return len(mails) / (time.process_time() - started)
