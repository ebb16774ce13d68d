"""The floor no sender gets below: RSA-2048 signatures alone, in as many processes as there are cores."""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from cryptography.hazmat.primitives.asymmetric import rsa

from engine.compose.dkim import Signer


def measure_floor(signatures: int = 2_000) -> float:
    """CPU seconds per 1,000 signatures while every core makes them."""
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        return sum(pool.map(_sign, [signatures] * cores)) / (signatures * cores) * 1000


def _sign(signatures: int) -> float:
    """CPU seconds of so many signatures."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signer = Signer("brevduva.example", "b1", key)
    start = time.process_time()
    for _ in range(signatures):
        signer.sign(bytes(32))
    return time.process_time() - start


def main() -> None:
    """Print what a signature costs."""
    parser = argparse.ArgumentParser(prog="scripts/bench floor", description=__doc__)
    parser.add_argument("--signatures", type=int, default=4_000, help="so many in each process")
    cost = measure_floor(parser.parse_args().signatures)
    print(f"RSA-2048 signatures alone on {os.cpu_count()} cores: CPU s per 1,000: {cost:.3f}")


if __name__ == "__main__":
    main()
