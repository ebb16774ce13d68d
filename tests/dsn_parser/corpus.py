"""Where the labelled corpus lies, which is not part of the repository: BREVDUVA_CORPUS, else beside it."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
OWN_MAILS = Path(__file__).parent / "mails"
ABSENT = "not run: corpus absent (set BREVDUVA_CORPUS to its folder)"


def corpus_folder() -> Path | None:
    """The folder with `truth.jsonl`, or None where this machine has none."""
    folder = Path(os.environ.get("BREVDUVA_CORPUS") or REPOSITORY.parent / "shared" / "corpus")
    return folder if (folder / "truth.jsonl").is_file() else None


def all_mails() -> list[bytes]:
    """Every mail of our own, and of the corpus where it is present."""
    folder = corpus_folder()
    paths = sorted(OWN_MAILS.glob("*.eml")) + (sorted((folder / "mails").rglob("*.*")) if folder else [])
    return [path.read_bytes() for path in paths if path.is_file()]
