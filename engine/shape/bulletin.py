"""The breakers as every process and the operator see them: written when they change, read back each round."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from config.vocabulary import Fault
from engine.shape.breaker import Breaker, BreakerState
from engine.store import alerts, sites
from engine.store.database import Connection
from engine.store.sites import SiteState

REFUSES_US = "site_refuses_us"
"""The kind of alert for a site that refuses us, not our members."""


async def read_breakers(connection: Connection) -> dict[str, Breaker]:
    """The breakers that are not closed."""
    return {name: _to_breaker(state) for name, state in (await sites.not_closed(connection)).items()}


async def tell_breakers(connection: Connection, changed: Mapping[str, Breaker], now: datetime) -> None:
    """Keep the breakers that changed; the operator is told of a site that refuses us, and when that is over."""
    await sites.save(connection, {name: _to_state(breaker) for name, breaker in changed.items()}, now)
    for name, breaker in changed.items():
        if breaker.is_closed:
            await alerts.close_about(connection, REFUSES_US, name, now)
        elif breaker.fault is Fault.SENDER:
            await alerts.raise_alert(connection, REFUSES_US, name, breaker.why, now)


def _to_breaker(state: SiteState) -> Breaker:
    return Breaker(
        BreakerState(state.state),
        state.reason,
        state.fault,
        state.why,
        failures=state.failures,
        opened_at=state.opened_at,
        next_probe_at=state.next_probe_at,
    )


def _to_state(breaker: Breaker) -> SiteState:
    return SiteState(
        breaker.state,
        breaker.reason,
        breaker.fault,
        breaker.why,
        breaker.failures,
        breaker.opened_at,
        breaker.next_probe_at,
    )
