"""Shows the ring of real servers by hand: `python -m tests.mta`, as root, on Linux."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mta.island import run_on_island, what_is_missing
from tests.mta.state import State, write_table

if missing := what_is_missing():
    sys.exit(missing)
with TemporaryDirectory() as place:
    found = run_on_island("tests.mta.ring", Path(place), 90.0)
print(write_table(*([State.from_json(values) for values in found[when]] for when in ("first", "last"))))
print({name: value for name, value in found.items() if name not in ("first", "last")})
