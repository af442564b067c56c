"""PURE: what a plan needs so that a revision that is no slower passes, by a run's own spreads."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from loadtests.spreads import PRIOR, Spreads
from reports.log_ratio import as_log, as_pct
from reports.model import Comparison, ScenarioSummary
from reports.resolution import Replication, resolvable_log
from reports.slowdown.decide import is_url, measured
from reports.slowdown.model import Planned
from reports.verdicts import MORE_IS_BETTER

POWER_TOGETHER = 0.8
"""With it an unchanged revision passes the whole gate, all of its comparisons together."""
PRIOR_DF = 6
"""What is usual counts like a look at seven pairs."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What one comparison needs of a plan."""

    spreads: Spreads
    limit_log: float
    """The allowed slowdown as a log ratio."""
    primaries: int
    """Compared in the run: they share the error of the intervals, and 20% of needless doubt."""
    one_instance: bool = False
    """An arm that is a URL has one whatever the plan; its blocks are the units."""

    def share_needed(self, instances: int, blocks: int) -> float:
        """What `instances` pairs with `blocks` blocks each could exclude, over the limit: a plan
        with 1 or less would do; infinite where no interval can exist, or only one of one start."""
        if instances < 2 and not self.one_instance:
            return math.inf
        plan = (
            Replication(1, instances * blocks, self.primaries)
            if self.one_instance
            else Replication(instances, blocks, self.primaries)
        )
        found_log = resolvable_log(self.spreads, plan, power_of_each(self.primaries))
        return math.inf if found_log is None else found_log / self.limit_log


def power_of_each(comparisons: int) -> float:
    """The power that each of several comparisons needs for POWER_TOGETHER, however they depend on
    each other."""
    return 1.0 - (1.0 - POWER_TOGETHER) / comparisons


def demands(
    scenarios: Sequence[ScenarioSummary],
    planned: Sequence[Planned],
    max_slowdown_pct: float,
    urls: Collection[str] = (),
) -> list[Demand]:
    """The demands of all planned comparisons that the run knows the spread of."""
    found = (measured(scenarios, each) for each in planned)
    return [
        demand
        for each in found
        if each is not None
        and (demand := demand_of(each[1], len(planned), max_slowdown_pct, urls)) is not None
    ]


def demand_of(
    comparison: Comparison,
    primaries: int,
    max_slowdown_pct: float,
    urls: Collection[str] = (),
) -> Demand | None:
    """What a comparison needs; None where it has no interval to go by, or nothing is allowed.

    The spreads are the run's own, scaled together so that they make its own interval (wider where
    few instances decide). A few pairs know little of how instances differ, so that variance
    is drawn towards what is usual, by as much as their number is small; of one start all of it is
    what is usual. Only where an arm is a URL (`urls`: their names) is one instance all there is.
    """
    if comparison.mde_pct is None or comparison.instances < 1 or max_slowdown_pct <= 0:
        return None
    one_seen = comparison.scope == "these instances"
    one_instance = one_seen and is_url(comparison, urls)
    blocks = round(comparison.blocks / comparison.instances)
    now = Replication(comparison.instances, blocks, primaries)
    seen = _shape(comparison, one_seen)
    expected_log = resolvable_log(seen, now)
    if not expected_log:
        return None
    factor = math.log1p(comparison.mde_pct / 100.0) / expected_log
    return Demand(
        Spreads(
            seen.instance_sd * factor
            if one_instance
            else _tempered(seen.instance_sd * factor, comparison.instances - 1),
            seen.block_sd * factor,
        ),
        limit_log(comparison.metric, max_slowdown_pct),
        primaries,
        one_instance,
    )


def _tempered(instance_sd: float, df: int) -> float:
    """The mean of the variance seen and the usual one, weighted by degrees of freedom: that of
    `reports.ability`, which looks at PRIOR_DF + 1 pairs, for any number."""
    variance = (df * instance_sd**2 + PRIOR_DF * PRIOR.instance_sd**2) / (df + PRIOR_DF)
    return math.sqrt(variance)


def limit_log(metric: str, max_slowdown_pct: float) -> float:
    """The allowed slowdown as the size of a log ratio."""
    share = max_slowdown_pct / 100.0
    return -math.log1p(-share) if metric in MORE_IS_BETTER else math.log1p(share)


def _shape(comparison: Comparison, one_seen: bool) -> Spreads:
    """How the doubt divides between instances and blocks. Where the run cannot tell, all of it is
    between instances: more of them help in any case."""
    told = comparison.spread
    if one_seen:
        return Spreads(0.0, PRIOR.block_sd)
    if told is None or not (told.instances_pct or told.blocks_pct):
        return Spreads(PRIOR.instance_sd, 0.0)
    return Spreads(told.instances_pct / 100.0, told.blocks_pct / 100.0)


def share_needed(wanted: Iterable[Demand], instances: int, blocks: int) -> float:
    """What a plan could exclude in every comparison, over the limit, on a log scale."""
    return max((each.share_needed(instances, blocks) for each in wanted), default=math.inf)


def excludable_pct(max_slowdown_pct: float, share: float) -> float:
    """The slowdown that a plan with such a `share_needed` can exclude, in percent of the baseline's
    response time; of capacity it is a little less."""
    return as_pct(as_log(max_slowdown_pct) * share)
