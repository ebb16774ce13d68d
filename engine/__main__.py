"""`brevduva` and `python -m engine`: every command, and what happens when one cannot do its work."""

from __future__ import annotations

import os
import sys

from config.settings import BadSettings
from engine.errors import BrevduvaError
from engine.shell import asking, doctor, person, reclassifying, records, serving, writing
from engine.shell.app import app

ROOMS = (asking, doctor, person, reclassifying, records, serving, writing)
"""Importing them hangs their commands on `app`."""


def main() -> None:
    """Run one command. Exit code 1: it could not be done; 2: the configuration or the call is wrong."""
    try:
        app()
    except BadSettings as error:
        _complain("The configuration cannot be used:", *error.problems)
        sys.exit(2)
    except BrevduvaError as error:
        _complain(str(error))
        sys.exit(1)
    except OSError as error:
        _complain(f"The system refused it: {error}")
        _print_no_more()
        sys.exit(1)


def _complain(*lines: str) -> None:
    for line in lines:
        sys.stderr.write(line + "\n")


def _print_no_more() -> None:
    """Let what could not be printed go, or Python tries once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
