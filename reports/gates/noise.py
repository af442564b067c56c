"""PURE: a change judged beside the noise: there, not there, or too small to be seen."""

from __future__ import annotations

import math

import numpy as np

from reports.gates.check import Check
from reports.log_ratio import as_log, as_pct
from reports.measures import Floats
from reports.statistics import Doubt, Estimate

RUN_ALPHA = 0.005
"""How often noise alone may fail any of a good run's gates that are judged here."""
FEWEST_OF_A_GROUP = 2
WIDEST_LOG = math.log(10.0)


def alpha_of_each(tests: int) -> float:
    """The level of each of a run's tests, so that all together keep to RUN_ALPHA (Bonferroni)."""
    return RUN_ALPHA / max(1, tests)


def difference(one: Floats, other: Floats) -> Estimate | Doubt:
    """Mean of one group of logs minus mean of the other, by Welch (1947); NaN is left out."""
    groups = [part[np.isfinite(part)] for part in (one, other)]
    if any(len(part) < FEWEST_OF_A_GROUP for part in groups):
        return Doubt("too few blocks to tell")
    variances = [float(part.var(ddof=1)) / len(part) for part in groups]
    total = sum(variances)
    if total < 1e-18:
        return Doubt("no block differs from another, so noise cannot be told")
    parts = zip(variances, groups, strict=True)
    df = total**2 / sum(each**2 / (len(part) - 1) for each, part in parts)
    return Estimate(float(groups[0].mean() - groups[1].mean()), math.sqrt(total), df)


def judged(
    change: Estimate | Doubt, alpha: float, limit_pct: float, what: str, remedy: str
) -> Check:
    """Fails where a change is both larger than matters and larger than noise alone makes it.

    `what` says what changed, with a place for by how much. A test whose own interval is wider than
    the limit vouches for nothing: it could not be checked, and the words tell what it could see.
    """
    if isinstance(change, Doubt):
        return None, None, limit_pct, change.reason
    limit_log, noise_log = as_log(limit_pct), change.half_width_log(alpha)
    size_log = abs(change.log_ratio)
    detail = what.format(_signed(change.log_ratio))
    if size_log > max(limit_log, noise_log):
        seen_pct = as_pct(max(limit_log, noise_log))
        return False, as_pct(size_log), seen_pct, f"{detail}: {remedy}"
    if noise_log > limit_log:
        return (
            None,
            as_pct(size_log),
            limit_pct,
            f"could only have seen {_seen(noise_log)} ({detail})",
        )
    return True, as_pct(size_log), limit_pct, detail


def _seen(noise_log: float) -> str:
    if noise_log > WIDEST_LOG:
        return "a factor of ten or more"
    return f"{as_pct(noise_log):.0f}% or more"


def _signed(log: float) -> str:
    return f"{as_pct(log):+.1f}%"
