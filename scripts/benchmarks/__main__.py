"""`scripts/bench NAME …`: run one benchmark, or list them."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path


def main() -> None:
    names = sorted(
        module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if module.name[0] != "_"
    )
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        print("usage: scripts/bench NAME …, where NAME is one of", ", ".join(names))
        sys.exit(2)
    name = sys.argv.pop(1)
    importlib.import_module(f"scripts.benchmarks.{name}").main()


main()
