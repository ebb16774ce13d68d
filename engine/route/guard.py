"""No packet to private, loopback or own addresses on behalf of a recipient's domain."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_CLOSED_TO_IPV4 = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata services of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved and broadcast
    )
)
_GLOBAL_IPV6 = ip_network("2000::/3")
_CLOSED_TO_IPV6 = tuple(
    ip_network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation
    )
)


def may_dial_internet(address: str) -> bool:
    """Whether an address is a public unicast one (IANA special-purpose registries) and not this machine's own.

    IPv4-mapped and NAT64 addresses hide an IPv4 address inside and lie outside 2000::/3, the only block taken for IPv6.
    """
    parsed = _parse(address)
    return parsed is not None and _is_public(parsed) and not is_own(address)


def may_dial_sandbox(address: str) -> bool:
    """Whether an address is loopback: in the sandbox no packet leaves the machine."""
    parsed = _parse(address)
    return parsed is not None and parsed.is_loopback


def guard_for(mode: str) -> Callable[[str], bool]:
    """The guard of a sending mode, "internet" or "sandbox"."""
    return may_dial_internet if mode == "internet" else may_dial_sandbox


def is_own(address: str) -> bool:
    """Whether an address is this machine's: only then can a socket be bound to it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    """The address, or None for what is none; one that names an interface is none to dial."""
    try:
        return ip_address(address) if "%" not in address else None
    except ValueError:
        return None


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_TO_IPV4)
    return address in _GLOBAL_IPV6 and not any(address in network for network in _CLOSED_TO_IPV6)
