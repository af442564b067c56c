"""PURE: log ratios and the changes in percent that they are told as."""

from __future__ import annotations

import math

MOST_LOG = 50.0
"""Larger ratios are all the same, and their percentages not finite."""
LEAST_CHANGE_PCT = -99.99
"""A change to nothing has no log ratio: it counts as this."""


def as_pct(log_ratio: float) -> float:
    """A log ratio as a change in percent."""
    return 100.0 * math.expm1(min(log_ratio, MOST_LOG))


def as_log(change_pct: float) -> float:
    """A change in percent as a log ratio."""
    return math.log1p(max(change_pct, LEAST_CHANGE_PCT) / 100.0)
