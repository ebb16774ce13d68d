"""What is remembered of addresses."""

from datetime import UTC, datetime, timedelta

from config.vocabulary import Host
from engine.deliver.memory import BROKEN_TLS, TROUBLE, Memory

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = Host("mx1", ("192.0.2.1", "2001:db8::1"))
SECOND = Host("mx2", ("192.0.2.2", "2001:db8::2"))


def order(memory: Memory, now: datetime = NOW) -> list[str]:
    return [address for _, address in memory.order((FIRST, SECOND), now)]


def test_hosts_and_addresses_keep_their_order() -> None:
    assert order(Memory()) == ["192.0.2.1", "2001:db8::1", "192.0.2.2", "2001:db8::2"]


def test_an_address_that_did_not_answer_goes_to_the_end_for_a_while() -> None:
    memory = Memory()
    memory.note_trouble("192.0.2.1", NOW)
    assert order(memory) == ["2001:db8::1", "192.0.2.2", "2001:db8::2", "192.0.2.1"]
    assert order(memory, NOW + TROUBLE + timedelta(seconds=1))[0] == "192.0.2.1"


def test_a_family_without_a_way_out_goes_to_the_end_until_one_of_it_answers() -> None:
    memory = Memory()
    memory.note_trouble("2001:db8::1", NOW, whole_family=True)
    assert order(memory) == ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"]
    memory.note_well("2001:db8::2")
    assert order(memory) == ["192.0.2.1", "2001:db8::1", "192.0.2.2", "2001:db8::2"]


def test_broken_tls_is_forgiven_after_a_while() -> None:
    memory = Memory()
    assert not memory.is_tls_broken("192.0.2.1", NOW)
    memory.note_broken_tls("192.0.2.1", NOW)
    assert memory.is_tls_broken("192.0.2.1", NOW)
    assert not memory.is_tls_broken("192.0.2.2", NOW)
    assert not memory.is_tls_broken("192.0.2.1", NOW + BROKEN_TLS)


def test_what_has_passed_is_forgotten() -> None:
    memory = Memory()
    for number in range(10_001):
        memory.note_trouble(f"a{number}", NOW)
    memory.note_trouble("b", NOW + TROUBLE)
    assert len(memory._trouble) == 1
