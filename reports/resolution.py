"""PURE: what a plan can resolve, and what more instances or rounds would bring."""

from __future__ import annotations

import math
from dataclasses import dataclass

from loadtests.spec import Spec
from loadtests.spreads import PRIOR, Spreads
from reports.log_ratio import as_pct
from reports.model import CAPACITY, PRIMARY_LATENCY, Outlook
from reports.statistics import (
    POWER,
    Estimate,
    adjusted_alpha,
    smallest_effect_log,
    smallest_effect_pct,
)

PRIMARY_METRICS = {
    "auto": (CAPACITY, PRIMARY_LATENCY),
    "closed": (CAPACITY,),
    "open": (PRIMARY_LATENCY,),
}
"""What a scenario's load model plans to compare first: capacity where there is a closed load, p95
where there is an open one."""


@dataclass(frozen=True, slots=True)
class Replication:
    """How often a comparison is repeated: instance pairs, blocks of each pair (rounds × pairs), and
    how many comparisons are adjusted together."""

    instances: int
    blocks: int
    primaries: int = 1


def resolvable_pct(spreads: Spreads, plan: Replication) -> float | None:
    """The smallest effect a plan is expected to find with 80% power, in percent.

    `spreads`: of the metric that is judged (`loadtests.spreads.PRIOR`: capacity, before anything
    is measured). None when an interval cannot exist.
    """
    log_effect = resolvable_log(spreads, plan)
    return None if log_effect is None else as_pct(log_effect)


def resolvable_log(spreads: Spreads, plan: Replication, power: float = POWER) -> float | None:
    """The same as a log ratio, with any power."""
    units = plan.instances if plan.instances > 1 else plan.blocks
    if units < 2 or plan.blocks < 1:
        return None
    standard_error = math.sqrt(spreads.variance(plan.instances, plan.blocks))
    return smallest_effect_log(standard_error, units - 1.0, adjusted_alpha(plan.primaries), power)


def expected_resolution_pct(
    instances: int, rounds: int, pairs: int = 1, primaries: int = 1
) -> float | None:
    """What a plan is expected to resolve in capacity, from prior spreads."""
    return resolvable_pct(PRIOR, Replication(instances, rounds * pairs, primaries))


def outlook(estimate: Estimate, spreads: Spreads, blocks: float, alpha: float) -> Outlook:
    """What would help after a run whose pairs had `blocks` blocks each.

    Twice the instances halve the whole variance; twice the rounds halve only the share that is
    between blocks.
    """
    between, within = spreads.instance_sd**2, spreads.block_sd**2 / blocks
    left = (between + within / 2.0) / (between + within) if between + within > 0 else 0.5
    more_df = 2.0 * estimate.df + 1.0
    return Outlook(
        smallest_effect_pct(estimate.standard_error / math.sqrt(2.0), more_df, alpha),
        smallest_effect_pct(estimate.standard_error * math.sqrt(left), estimate.df, alpha),
    )


def planned_primaries(spec: Spec) -> int:
    """How many primary comparisons a spec plans, over its scenarios and candidates."""
    return sum(
        len(PRIMARY_METRICS[entry.load.model]) * (len(spec.arms_of(entry)) - 1)
        for entry in spec.scenario
    )
