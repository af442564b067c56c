"""PURE: an axis of log ratios whose numbers are changes in percent."""

from __future__ import annotations

import math

import numpy as np

from reports.charts.forest import signed_tick
from reports.measures import Floats
from reports.model import Comparison

NARROWEST = math.log(1.1)
FURTHEST_SPREADS = 6.0
"""An axis reaches this many median distances from the middle point; beyond, points stand at its
edge."""
CHANGES_PCT = (
    *(5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0, 20_000.0),
    *(-5.0, -10.0, -20.0, -33.0, -50.0, -67.0, -80.0, -90.0, -95.0, -99.0),
)
APART = 0.24
"""Numbers stand at least this share of the axis' reach apart."""


def pct(log_ratio: float) -> float:
    """A log ratio as a change in percent."""
    return 100.0 * math.expm1(min(log_ratio, 50.0))


def limit_of(logs: Floats, comparison: Comparison) -> float:
    """How far the axis reaches to both sides of nought: to the change that is stated and to the
    furthest point, unless that lies far beyond the others; to the interval's ends where near."""
    known = logs[np.isfinite(logs)]
    middle = float(np.median(known))
    usual = abs(middle) + FURTHEST_SPREADS * float(np.median(np.abs(known - middle)))
    change, *ends = (
        abs(math.log1p(max(each, -99.0) / 100.0))
        for each in (comparison.change_pct or 0.0, *(comparison.ci95_pct or ()))
    )
    reach = max(NARROWEST, change, min(float(np.max(np.abs(known))), usual))
    return 1.12 * max([reach, *(end for end in ends if end < 1.5 * reach)])


def ratio_ticks(limit: float) -> list[tuple[float, str]]:
    """Places on the axis with the changes that stand there, nought among them."""
    ticks = [(0.0, "0%")]
    for value in CHANGES_PCT:
        log = math.log1p(value / 100.0)
        far = all(abs(log - other) >= APART * limit for other, _ in ticks)
        if abs(log) <= limit and far:
            ticks.append((log, f"{signed_tick(value, None)}%"))
    return sorted(ticks)
