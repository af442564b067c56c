"""PURE: what a plan can resolve, and what more instances or rounds would bring."""

from __future__ import annotations

import math
from dataclasses import dataclass

from loadtests.spec import Spec
from loadtests.spreads import PRIOR, Spreads
from reports.model import Outlook
from reports.statistics import Estimate, adjusted_alpha, smallest_effect_pct


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
    units = plan.instances if plan.instances > 1 else plan.blocks
    if units < 2 or plan.blocks < 1:
        return None
    standard_error = math.sqrt(spreads.variance(plan.instances, plan.blocks))
    return smallest_effect_pct(standard_error, units - 1.0, adjusted_alpha(plan.primaries))


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
    """How many primary comparisons a spec plans: per scenario and candidate, capacity where there
    is a closed load, and p95 where there is an open one."""
    kinds = {"auto": 2, "closed": 1, "open": 1}
    return sum(kinds[entry.load.model] * (len(spec.arms_of(entry)) - 1) for entry in spec.scenario)
