"""What a site is given: the figures of `shaping.toml`, narrowed by what its own answers have taught."""

from __future__ import annotations

from dataclasses import dataclass

from config.shaping import read_shaping
from config.vocabulary import Limits
from engine.shape.throttle import FULL_PACE, Pace, narrow


@dataclass(frozen=True, slots=True)
class ExplainedLimits:
    """The limits that hold for a site now, those it starts from, and why they are what they are."""

    site: str
    effective: Limits
    given: Limits
    source: str
    why: str


def limits_of(site: str) -> Limits:
    """The limits a site starts from: its own in `shaping.toml`, else the default."""
    shape = read_shaping().find(site)
    return shape.limits if shape else read_shaping().default


def explain_limits(site: str, pace: Pace = FULL_PACE) -> ExplainedLimits:
    """The effective limits of a site at the pace its answers have brought it to, with the reasons told."""
    given, shape = limits_of(site), read_shaping().find(site)
    source = shape.source if shape else "the default: no figures are known for this site"
    why = "as given: the site has not asked for less"
    if pace.share < 1:
        since = f"{pace.slowed_at:%Y-%m-%d %H:%M}"
        why = f'{pace.share:.0%} of what is given, since {since} UTC, when it said "{pace.words}"'
    return ExplainedLimits(site, narrow(given, pace), given, source, why)
