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

from scripts.demonstration.performance import perform
from scripts.demonstration.report import Result, make_console, write_json

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)

_INTERRUPTED = 130  # as shells say it of Ctrl-C


def _writable(path: Path | None) -> Path | None:
    """Find out now what would otherwise be told when everything is over."""
    try:
        if path:
            path.open("wb").close()  # an old result is gone from here on
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written ({error.strerror}); name another file") from None
    return path


@app.command()
def main(
    members: Annotated[int, typer.Option(min=1, help="How many members the registers hold.")] = 500,
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = 1,
    json: Annotated[
        Path | None, typer.Option(help="Write the final table to this file, for machines.", callback=_writable)
    ] = None,
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
        uvloop.run(perform(make_console(), members, seed, done=take_down, keep=keep))
    if not results:
        sys.exit(_INTERRUPTED)
    sys.exit(0 if results[0].judgement.is_clean else 1)


if __name__ == "__main__":
    app()
