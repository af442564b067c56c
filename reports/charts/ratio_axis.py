"""PURE: an axis of log ratios whose numbers are changes in percent."""

from __future__ import annotations

import math

import numpy as np

from reports.charts.style import signed_tick
from reports.log_ratio import as_log
from reports.measures import Floats
from reports.model import Comparison

NARROWEST = math.log(1.1)
FURTHEST_SPREADS = 6.0
"""An axis reaches so many median distances from the middle point; beyond, points stand at its
edge."""
NEAR = 1.5
"""An interval's end is in sight where it is at most so many times as far as all else."""
MARGIN = 0.07
CHANGES_PCT = (
    *(5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0, 20_000.0),
    *(-5.0, -10.0, -20.0, -33.0, -50.0, -67.0, -80.0, -90.0, -95.0, -99.0),
)
APART = 0.13
"""Numbers stand at least this share of the axis' length apart."""


def reach_of(logs: Floats, comparison: Comparison) -> tuple[float, float]:
    """From where to where the axis goes: nought, the stated change and every point, unless one
    lies far beyond the others; the interval's ends where they are near."""
    known = logs[np.isfinite(logs)]
    middle = float(np.median(known))
    usual = FURTHEST_SPREADS * float(np.median(np.abs(known - middle)))
    shown = known[np.abs(known - middle) <= max(usual, NARROWEST)]
    change = as_log(comparison.change_pct or 0.0)
    low = min(-NARROWEST, change, float(shown.min()))
    high = max(NARROWEST, change, float(shown.max()))
    ends = [as_log(each) for each in comparison.ci95_pct or ()]
    near = [each for each in ends if NEAR * low <= each <= NEAR * high]
    low, high = min([low, *near]), max([high, *near])
    margin = MARGIN * (high - low)
    return low - margin, high + margin


def ratio_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Places on the axis with the changes that stand there, nought among them."""
    ticks = [(0.0, "0%")]
    for value in CHANGES_PCT:
        log = as_log(value)
        far = all(abs(log - other) >= APART * (high - low) for other, _ in ticks)
        if low <= log <= high and far:
            ticks.append((log, f"{signed_tick(value, None)}%"))
    return sorted(ticks)
