"""What the tests of this room send, and to whom."""

from __future__ import annotations

from config.settings import Timeouts
from config.vocabulary import Host, Route
from engine.deliver.attempt import Attempt, Envelope
from tests.fakes.mx import FakeMx

WIRE = b"Subject: Hej\r\n\r\nHej Ida\r\n"
QUICK = Timeouts(connect=5, banner=0.5, command=0.5, data=0.1, data_block=0.1, final_dot=0.1)
PATIENT = Timeouts(connect=5, banner=5, command=5, data=5, data_block=5, final_dot=5)


def envelope(number: int = 1, recipient: str = "", wire: bytes = WIRE) -> Envelope:
    return Envelope(
        number, f"b+{number}.mac@retur.example", recipient or f"m{number}@example.org", wire, envelope_id=f"e{number}"
    )


def envelopes(count: int) -> list[Envelope]:
    return [envelope(number) for number in range(1, count + 1)]


def route_to(*receivers: FakeMx, domain: str = "example.org", site: str = "example.org") -> Route:
    hosts = tuple(
        Host(f"mx{number}.{domain}", ("127.0.0.1",), receiver.port) for number, receiver in enumerate(receivers, 1)
    )
    return Route(domain, site, hosts)


def words(attempts: list[Attempt]) -> list[tuple[int, str, int]]:
    """Job, stage and code of each attempt."""
    return [(attempt.envelope.job_id, attempt.stage.value, attempt.reply.code) for attempt in attempts]
