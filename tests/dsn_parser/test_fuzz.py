"""Mutated mails raise nothing and take no time: 20,000 in every run, 1,000,000 in the long form."""

from __future__ import annotations

import os
import sys
import time

from dsn_parser.read_report import read_report
from dsn_parser.worker import CPU_LIMIT_SECONDS
from tests.dsn_parser.corpus import all_mails
from tests.dsn_parser.mutation import mutated

MAILS = int(os.environ.get("BREVDUVA_FUZZ_MAILS") or (1_000_000 if os.environ.get("BREVDUVA_SOAK") else 20_000))
SEED = int(os.environ.get("BREVDUVA_FUZZ_SEED", "1"))


def test_mutated_mails_are_read_without_exception_and_in_time() -> None:
    slowest = 0.0
    for mail in mutated(all_mails(), MAILS, SEED):
        started = time.process_time()
        read_report(mail)
        slowest = max(slowest, time.process_time() - started)
    sys.stdout.write(f"{MAILS} mutated mails: 0 uncaught, slowest {slowest * 1000:.0f} ms\n")
    assert slowest < CPU_LIMIT_SECONDS
