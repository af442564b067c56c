"""PURE: what a plan can resolve, told before anything is measured, from prior spreads."""

from __future__ import annotations

import math

from loadtests.spec import Spec
from reports.statistics import adjusted_alpha, smallest_effect_pct

PRIOR_INSTANCE_SD = 0.06
PRIOR_BLOCK_SD = 0.11
"""Standard deviations of the log ratio of capacity between instance pairs, and between blocks of
one pair, as measured on a 2-core machine (docs/method.md)."""


def expected_resolution_pct(
    instances: int, rounds: int, pairs: int = 1, primaries: int = 1
) -> float | None:
    """The smallest effect on capacity a plan is expected to find with 80% power, in percent.

    `pairs`: blocks per round and instance; `primaries`: comparisons adjusted together. Tails of
    latency vary more than this. None when an interval cannot exist.
    """
    blocks = rounds * pairs
    units = instances if instances > 1 else blocks
    if units < 2 or blocks < 1:
        return None
    variance = PRIOR_BLOCK_SD**2 / (instances * blocks)
    if instances > 1:
        variance += PRIOR_INSTANCE_SD**2 / instances
    return smallest_effect_pct(math.sqrt(variance), units - 1.0, adjusted_alpha(primaries))


def planned_primaries(spec: Spec) -> int:
    """How many primary comparisons a spec plans: per scenario and candidate, capacity where there
    is a closed load, and p95 where there is an open one."""
    kinds = {"auto": 2, "closed": 1, "open": 1}
    return sum(kinds[entry.load.model] * (len(spec.arms_of(entry)) - 1) for entry in spec.scenario)
