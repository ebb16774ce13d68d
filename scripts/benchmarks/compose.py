"""CPU of making one personalised mail, beside the signature that no mail can do without."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from engine.compose.dkim import Signer
from engine.compose.message import Prepared, prepare
from scripts.benchmarks._mailing import A_DAY, Recipient, make_identity, make_mailing


class NoSigner:
    """A signer that takes no time."""

    domain, selector, algorithm = "brevduva.example", "b1", "rsa-sha256"

    def sign(self, digest: bytes) -> bytes:
        return digest * 8


def _ready(*signers: object) -> Prepared:
    return prepare(make_mailing(), make_identity(signers))  # type: ignore[arg-type]  # one of them only plays a signer


def _recipient(number: int) -> Recipient:
    first_name = "Åsa" if number % 3 else "Ida"
    return Recipient(number, first_name, f"Öberg {number}", f"asa.{number}@example.org", "example.org", A_DAY)


def _cpu_milliseconds(work: Callable[[Recipient], object], members: list[Recipient]) -> float:
    """The best of three rounds, per member."""
    rounds = []
    for _ in range(3):
        start = time.process_time()
        for member in members:
            work(member)
        rounds.append(time.process_time() - start)
    return min(rounds) / len(members) * 1000


def main() -> None:
    """Print what a mail costs with no, one and two signatures, and one RSA-2048 signature alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=3_000)
    count = parser.parse_args().mails
    members = [_recipient(number) for number in range(1, count + 1)]
    first = Signer("brevduva.example", "b1", rsa.generate_private_key(public_exponent=65537, key_size=2048))
    second = Signer("brevduva.example", "b2-ed", ed25519.Ed25519PrivateKey.generate())
    floor = _cpu_milliseconds(lambda _: first.sign(bytes(32)), members)
    print(f"{len(_ready(first).render(members[0])):,} bytes a mail")
    print(f"one RSA-2048 signature alone   {floor:.3f} ms CPU")
    for name, prepared in (
        ("without its signature", _ready(NoSigner())),
        ("with RSA-2048", _ready(first)),
        ("with RSA-2048 and Ed25519", _ready(first, second)),
    ):
        cost = _cpu_milliseconds(prepared.render, members)
        print(f"a mail {name:24} {cost:.3f} ms CPU, {cost / floor:.2f} signatures")


if __name__ == "__main__":
    main()
