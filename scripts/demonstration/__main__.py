"""`python -m scripts.demonstration`: runs the main job in the box; 0 where everything came out as it must."""

from __future__ import annotations

import contextlib
import logging
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvloop
from rich.console import Console

from scripts.demonstration.performance import perform
from scripts.demonstration.report import Result, write_json


def main(
    members: Annotated[int, typer.Option(min=1, help="How many members the registers hold.")] = 500,
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = 1,
    json: Annotated[Path | None, typer.Option(help="Write the final table to this file, for machines.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the service and its web page up until Ctrl-C.")] = False,
) -> None:
    """Run the main job in the internet in a box: register, confirmation, mailing, every member's answer."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    results: list[Result] = []

    def take_down(result: Result) -> None:
        results.append(result)
        if json:
            write_json(json, result)

    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(perform(Console(), members, seed, done=take_down, keep=keep))
    sys.exit(0 if results and results[0].judgement.is_clean else 1)


if __name__ == "__main__":
    typer.run(main)
