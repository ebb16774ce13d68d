"""No packet to addresses that a recipient's domain has no business naming."""

import pytest

from engine.route.guard import guard_for, is_own, may_dial_internet, may_dial_sandbox

CLOSED = [
    *[
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
    ],
    *["169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1"],
    *[
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
    ],
    *[
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
    ],
    *[
        "100::1",
        "2001::1",
        "2001:0:808:808::1",
        "2001:10::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "3fff::1",
    ],
    *[
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "2a00:1450::1%eth0",
    ],
    *["localhost", "8.8.8.8:25", "0x7f.1", "2130706433", "127.1", "010.0.0.1"],
    "",
]
OPEN = [
    *["8.8.8.8", "11.0.0.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.255"],
    *["2600::1", "2a00:1450::1", "2001:4860:4860::8888"],
]


@pytest.mark.parametrize("address", CLOSED)
def test_no_connection_in_internet_mode(address: str) -> None:
    assert not may_dial_internet(address)


@pytest.mark.parametrize("address", OPEN)
def test_public_addresses_are_dialled_in_internet_mode(address: str) -> None:
    assert may_dial_internet(address)


@pytest.mark.parametrize("address", [address for address in CLOSED + OPEN if not address.startswith("127.")])
def test_the_sandbox_dials_nothing_beyond_loopback(address: str) -> None:
    assert may_dial_sandbox(address) == (address == "::1")


def test_an_address_of_this_machine_is_its_own() -> None:
    assert is_own("127.0.0.1")
    assert not is_own("8.8.8.8")


def test_own_public_addresses_are_not_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.route.guard.is_own", lambda address: address == "8.8.8.8")
    assert not may_dial_internet("8.8.8.8")
    assert may_dial_internet("8.8.4.4")


def test_each_mode_has_its_guard() -> None:
    assert guard_for("internet") is may_dial_internet
    assert guard_for("sandbox") is may_dial_sandbox
