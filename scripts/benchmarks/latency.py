"""Mail to one site 50 ms away over 20 connections, beside Postfix in the same run."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from config.settings import read_settings
from config.vocabulary import Host, Limits, Route
from engine.clock import SystemClock
from engine.deliver.attempt import Attempt, Envelope
from engine.deliver.pool import Pool
from engine.deliver.session import Dialler
from scripts.benchmarks import _postfix
from scripts.benchmarks._figures import Figures
from scripts.benchmarks._folder import FOLDER, fresh_folder
from scripts.benchmarks._island import ON_ISLAND, go_to_island
from scripts.benchmarks._mailing import address_of, domain, render_unsigned
from scripts.benchmarks._relay import running_relay
from scripts.benchmarks._sink import EVERY_ADDRESS, Sink, running_sink
from tests.mta.island import settle

_MAILS_A_CONNECTION = 100
_AS_MANY_AT_ONCE = """
default_destination_concurrency_limit = {connections}
initial_destination_concurrency = {connections}
"""


def main() -> None:
    """Print how fast each is and what a mail costs in round trips on each connection."""
    options = _read_options()
    if options.on_island or not go_to_island("latency"):
        if options.on_island:
            settle(options.on_island, _postfix.USERS, ())
        with fresh_folder(Path(options.folder)) as folder:
            uvloop.run(_run(options, folder))


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench latency", description=__doc__)
    parser.add_argument("--mails", type=int, default=4_000)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--milliseconds", type=float, default=50, help="of a round trip")
    parser.add_argument("--folder", default=FOLDER, help="where the peer's queue is made")
    parser.add_argument(ON_ISLAND, type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


async def _run(options: argparse.Namespace, folder: Path) -> None:
    envelopes = _to_one_site(options.mails)
    with running_sink(EVERY_ADDRESS) as sink, running_relay(sink.port, options.milliseconds / 2000) as port:
        ours = await _send(envelopes, port, options.connections, sink)
    _tell(ours, options)
    if not options.on_island:
        return
    with running_sink(EVERY_ADDRESS) as sink, running_relay(sink.port, options.milliseconds / 2000) as port:
        settings = _AS_MANY_AT_ONCE.format(connections=options.connections)
        theirs = await _postfix.run_turn("Postfix + OpenDKIM", folder, sink, envelopes, port=port, extra=settings)
    _tell(theirs, options)
    print(f"{ours.rate / theirs.rate:.2f} times the rate of Postfix")


def _to_one_site(mails: int) -> list[Envelope]:
    return [one._replace(recipient=f"{one.recipient.partition('@')[0]}@{domain(0)}") for one in render_unsigned(mails)]


async def _send(envelopes: Sequence[Envelope], port: int, connections: int, sink: Sink) -> Figures:
    """Our sessions alone: what a connection can carry is what is asked."""
    route = Route(domain(0), domain(0), (Host("sink.example", (address_of(0),), port),))
    pool = Pool(Dialler("bench.example", read_settings().timeouts), SystemClock())
    taken: list[Attempt] = []
    began, cpu = time.monotonic(), time.process_time()
    await pool.deliver(route, envelopes, Limits(connections, _MAILS_A_CONNECTION), taken.append)
    cpu = time.process_time() - cpu
    told = sink.tell()
    assert told.mails == told.recipients == len(envelopes) == len(taken), told
    await pool.close()
    return Figures("Brevduva's sessions", len(envelopes), told.last_at - began, cpu, cpu, 0, 0)


def _tell(figures: Figures, options: argparse.Namespace) -> None:
    seconds_a_mail = figures.seconds * options.connections / figures.mails
    trips = seconds_a_mail / (options.milliseconds / 1000)
    print(f"{figures.name:20} {figures.rate:6,.0f} mails/s, {trips:.2f} round trips a mail on a connection", flush=True)


if __name__ == "__main__":
    main()
