"""A personal mailing from "send" to the last 250, beside Postfix with OpenDKIM in turns of the same run."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from statistics import median

import trustme

from engine.sandbox.dns import DnsServer
from scripts.benchmarks import _brevduva, _postfix
from scripts.benchmarks._brevduva import Setting
from scripts.benchmarks._figures import Figures
from scripts.benchmarks._folder import FOLDER, fresh_folder
from scripts.benchmarks._island import ON_ISLAND, go_to_island
from scripts.benchmarks._mailing import names, render_unsigned
from scripts.benchmarks._sink import EVERY_ADDRESS, running_sink
from scripts.benchmarks.floor import measure_floor
from tests.mta.island import settle
from tests.postgresql import find_binaries, running_cluster

_OURS, _THEIRS = "Brevduva", "Postfix + OpenDKIM"


def main() -> None:
    """Print a line a turn, then the ratios of the middle turns."""
    options = _read_options()
    if options.on_island or options.alone or not go_to_island("outbound"):
        if options.on_island:
            settle(options.on_island, _postfix.USERS, ())
        with fresh_folder(Path(options.folder)) as folder:
            asyncio.run(_run(options, folder))


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench outbound", description=__doc__)
    parser.add_argument("--members", type=int, default=10_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--tls", action="store_true", help="the receivers offer STARTTLS")
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    parser.add_argument("--double", action="store_true", help="with an Ed25519 signature beside the RSA one")
    parser.add_argument("--alone", action="store_true", help="without the peer")
    parser.add_argument("--folder", default=FOLDER, help="where queues and databases are made: its disk is measured")
    parser.add_argument(ON_ISLAND, type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


async def _run(options: argparse.Namespace, folder: Path) -> None:
    floors: list[float] = []
    turns: list[Figures] = []
    async with _running_dns() as dns_port:
        for _ in range(options.turns):
            with fresh_folder(folder) as place:
                before = measure_floor()
                turns.append(await _our_turn(options, place, dns_port))
                floors.append((before + measure_floor()) / 2)
            print(turns[-1], f"  signatures alone: {floors[-1]:.3f}", flush=True)
            if options.on_island:
                with fresh_folder(folder) as place:
                    turns.append(await _their_turn(options, place))
                print(turns[-1], flush=True)
    _compare(turns, floors)


async def _our_turn(options: argparse.Namespace, folder: Path, dns_port: int) -> Figures:
    selectors = '["b1", "b2-ed"]' if options.double else '["b1"]'
    with ExitStack() as stack:
        sink = stack.enter_context(running_sink(EVERY_ADDRESS, certificate=_certificate(options, folder)))
        setting = Setting(folder, dns_port, sink.port, dkim_selectors=selectors)
        if options.postgresql:
            binaries = find_binaries()
            assert binaries, "there is no PostgreSQL here"
            cluster = stack.enter_context(running_cluster(binaries))
            pid = int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0])
            setting = Setting(folder, dns_port, sink.port, cluster.url("postgres"), (pid,), selectors)
        return await _brevduva.run_turn(_OURS, setting, sink, options.members)


async def _their_turn(options: argparse.Namespace, folder: Path) -> Figures:
    with running_sink(EVERY_ADDRESS, certificate=_certificate(options, folder)) as sink:
        return await _postfix.run_turn(_THEIRS, folder, sink, render_unsigned(options.members))


def _certificate(options: argparse.Namespace, folder: Path) -> str | None:
    if not options.tls:
        return None
    path = folder / "sink.pem"
    trustme.CA().issue_cert("sink.example").private_key_and_cert_chain_pem.write_to_path(str(path))
    return str(path)


def _compare(turns: Sequence[Figures], floors: Sequence[float]) -> None:
    """Say what the middle of the turns comes to, and each against the signatures made right before and after it."""
    ours = [turn for turn in turns if turn.name == _OURS]
    theirs = [turn for turn in turns if turn.name == _THEIRS]
    all_of_it = median(turn.cpu_seconds_per_1000 / floor for turn, floor in zip(ours, floors, strict=True))
    senders = median(turn.sender_cpu_seconds_per_1000 / floor for turn, floor in zip(ours, floors, strict=True))
    print(f"{_OURS} takes {all_of_it:.2f} times the CPU of the signatures alone, its senders {senders:.2f}")
    if theirs:
        faster = median(turn.rate for turn in ours) / median(turn.rate for turn in theirs)
        share = median(turn.cpu_seconds for turn in ours) / median(turn.cpu_seconds for turn in theirs)
        print(f"{_OURS} is {faster:.1f} times as fast as {_THEIRS} and takes {share:.2f} of its CPU")


@asynccontextmanager
async def _running_dns() -> AsyncIterator[int]:
    server = DnsServer(names())
    port = await server.start()
    try:
        yield port
    finally:
        await server.stop()


if __name__ == "__main__":
    main()
