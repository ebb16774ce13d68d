"""How many recipients of the labelled corpus are found and judged right; the bar of the parser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dsn_parser.corpus import ABSENT, REPOSITORY, corpus_folder

AT_LEAST = {"found": 99.5, "strict": 97.0, "lenient": 99.0}
AT_MOST = {"wrongful": 0.3, "missed": 2.0, "extra_recipients": 3}


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = corpus_folder()
    if folder is None:
        pytest.skip(ABSENT)  # the corpus is no part of the product: under CI, too, it may be elsewhere
    predictions = tmp_path_factory.mktemp("score") / "predictions.jsonl"
    predictions.write_bytes(_run(folder, "-m", "dsn_parser", "mails"))
    measured: dict[str, Any] = json.loads(_run(folder, "score.py", str(predictions), "--json"))
    sys.stdout.write(f"corpus: { {name: measured[name] for name in (*AT_LEAST, *AT_MOST)} }\n")
    return measured


def _run(folder: Path, *arguments: str) -> bytes:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, check=True
    ).stdout


@pytest.mark.parametrize("name", AT_LEAST)
def test_enough_is_found_and_judged_right(figures: dict[str, Any], name: str) -> None:
    assert figures[name] >= AT_LEAST[name]


@pytest.mark.parametrize("name", AT_MOST)
def test_hardly_anybody_is_struck_wrongly_or_missed(figures: dict[str, Any], name: str) -> None:
    assert figures[name] <= AT_MOST[name]
