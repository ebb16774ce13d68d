"""CPU of making one personalised mail, beside the signature that no mail can do without."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from config.vocabulary import BodyFormat, MailingKind, MailingState
from engine.compose.dkim import Signer
from engine.compose.message import Identity, Prepared, prepare
from engine.compose.wire import dot_stuff
from engine.return_path import KeyRing
from engine.store.mailings import Mailing, Sender

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PARAGRAPH = "Vi ses på årsmötet, %FIRST_NAME%, och äter våfflor med grädde efteråt. Ta med dig en vän om du vill. "
BODY = (
    f"# Hej %NAME%!\n\n{PARAGRAPH * 4}\n\n- kaffe\n- tårta\n\n**[Anmäl dig](https://example.org/?n=%LAST_NAME%)**\n\n"
)


@dataclass(frozen=True, slots=True)
class Member:
    """What a message row says of its member."""

    message_id: int
    first_name: str
    last_name: str
    email: str
    domain: str = "example.org"
    created_at: datetime = NOW


class Unsigned:
    """A signer that takes no time."""

    domain, selector, algorithm = "brevduva.example", "b1", "rsa-sha256"

    def sign(self, digest: bytes) -> bytes:
        return digest * 8


def _mailing() -> Mailing:
    sender = Sender("Björneborgs Båtklubb", "batklubben", "Kansliet", "Anna Andersson", "anna@klubb.example")
    return Mailing(
        id=7,
        association_id=1,
        office_id=1,
        user_id=1,
        kind=MailingKind.MAILING,
        subject="Årsmöte, %FIRST_NAME%",
        body=BODY,
        format=BodyFormat.MARKDOWN,
        state=MailingState.SENDING,
        skipped={},
        sender=sender,
        created_at=NOW,
        sent_at=NOW,
    )


def _ready(*signers: object) -> Prepared:
    identity = Identity(
        sender_address="utskick@brevduva.example",
        hostname="mail.brevduva.example",
        bounce_domain="retur.brevduva.example",
        base_url="https://post.brevduva.example",
        ring=KeyRing((bytes(32),)),
        signers=signers,  # type: ignore[arg-type]  # one of them only plays a signer
    )
    return prepare(_mailing(), identity)


def _cpu_milliseconds(work: Callable[[Member], object], members: list[Member]) -> float:
    """The best of three rounds, per member."""
    rounds = []
    for _ in range(3):
        start = time.process_time()
        for member in members:
            work(member)
        rounds.append(time.process_time() - start)
    return min(rounds) / len(members) * 1000


def _work(prepared: Prepared) -> Callable[[Member], bytes]:
    return lambda member: dot_stuff(prepared.render(member))


def main() -> None:
    """Print what a mail costs with no, one and two signatures, and one RSA-2048 signature alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=3_000)
    count = parser.parse_args().mails
    members = [Member(n, "Åsa" if n % 3 else "Ida", f"Öberg {n}", f"asa.{n}@example.org") for n in range(1, count + 1)]
    first = Signer("brevduva.example", "b1", rsa.generate_private_key(public_exponent=65537, key_size=2048))
    second = Signer("brevduva.example", "b2-ed", ed25519.Ed25519PrivateKey.generate())
    floor = _cpu_milliseconds(lambda _: first.sign(bytes(32)), members)
    print(f"{len(_ready(first).render(members[0])):,} bytes a mail")
    print(f"one RSA-2048 signature alone   {floor:.3f} ms CPU")
    for name, prepared in (
        ("without its signature", _ready(Unsigned())),
        ("with RSA-2048", _ready(first)),
        ("with RSA-2048 and Ed25519", _ready(first, second)),
    ):
        cost = _cpu_milliseconds(_work(prepared), members)
        print(f"a mail {name:24} {cost:.3f} ms CPU, {cost / floor:.2f} signatures")


if __name__ == "__main__":
    main()
