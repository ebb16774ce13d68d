"""Whose mail exchangers they are: the site that limits, breaker and connections belong to."""

from __future__ import annotations

from collections.abc import Iterable

from config.shaping import read_shaping


def find_site(hosts: Iterable[str]) -> str:
    """The operator of a domain's best exchangers: a known one's name, else the domain they are registered under.

    Where the best hosts belong to several, the first by name, so that the answer is the same each time.
    """
    return min(map(_operator_of, hosts))


def _operator_of(host: str) -> str:
    shaping = read_shaping()
    for site in shaping.sites:
        if any(host == suffix or host.endswith(f".{suffix}") for suffix in site.mx):
            return site.name
    return registrable_domain(host, shaping.second_level)


def registrable_domain(host: str, second_level: frozenset[str]) -> str:
    """The last two labels of a name, or three where the second is itself a public suffix, as in `example.co.uk`."""
    labels = host.split(".")
    is_under_suffix = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in second_level
    return ".".join(labels[-3:] if is_under_suffix else labels[-2:])
