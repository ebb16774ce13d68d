"""Which sender process speaks with which site, so that the limits of a site hold across all processes. Pure."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import blake2b


def owner_of(site: str, processes: Collection[str]) -> str:
    """The one of some processes that a site belongs to; raises ValueError where there is none.

    Rendezvous hashing: everybody who knows the same processes gives the same answer, and when one comes or goes only
    its own sites change hands.
    """
    if not processes:
        raise ValueError("no process is there to own a site")
    return max(processes, key=lambda process: (_weight(site, process), process))


def _weight(site: str, process: str) -> bytes:
    return blake2b(f"{site}\n{process}".encode(), digest_size=8).digest()
