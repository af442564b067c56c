"""PURE: what a machine can resolve in a given time, from a short look at identical arms, and what
would help."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from loadtests.spreads import PRIOR, Spreads
from reports.model import Comparison, Summary
from reports.resolution import Replication, resolvable_pct
from reports.words import percent

COVERAGE = 0.8
"""Of the range around a resolution: a short look knows spreads only roughly."""
MOST_TOLD_PCT = 100.0
ONE_SIDED = 0.5
"""From this share of the variance on, more of one kind of repetition is what helps."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The smallest effect a plan is expected to find with 80% power, in percent, with the range
    that the look's own doubt leaves; None where it is beyond telling."""

    pct: float
    range_pct: tuple[float, float]

    def words(self) -> str:
        """`±9.1% (7.0% to 14%)`; what is beyond telling things apart at all is not told exactly."""
        low, high = map(_told, self.range_pct)
        if self.range_pct[0] > MOST_TOLD_PCT:
            return _told(self.pct)
        return f"{'±' if self.pct <= MOST_TOLD_PCT else ''}{_told(self.pct)} ({low} to {high})"


@dataclass(frozen=True, slots=True)
class Ability:
    """What a look at identical arms says of one metric: its spreads, and from how many pairs."""

    spreads: Spreads
    pairs: int

    def resolution(self, plan: Replication) -> Resolution | None:
        """What a plan would resolve; None when no interval can exist."""
        df = self.pairs - 1.0
        tails = (1.0 + COVERAGE) / 2.0, (1.0 - COVERAGE) / 2.0
        factors = [1.0, *(math.sqrt(df / float(stats.chi2.ppf(tail, df))) for tail in tails)]
        found = [resolvable_pct(_times(self.spreads, factor), plan) for factor in factors]
        if found[0] is None or found[1] is None or found[2] is None:
            return None
        return Resolution(found[0], (found[1], found[2]))


def _told(pct: float) -> str:
    return percent(pct) if pct <= MOST_TOLD_PCT else f"over {MOST_TOLD_PCT:.0f}%"


def _times(spreads: Spreads, factor: float) -> Spreads:
    return Spreads(spreads.instance_sd * factor, spreads.block_sd * factor)


def ability(comparison: Comparison) -> Ability | None:
    """What a primary comparison of identical arms says; None where it has no spreads.

    A few pairs say little of the spread between instances (it often comes out as 0, which no
    machine has): its variance is the mean of what was seen and of `loadtests.spreads.PRIOR`'s.
    """
    if comparison.spread is None or comparison.instances < 2:
        return None
    seen = comparison.spread.instances_pct / 100.0
    instance_sd = math.sqrt((seen**2 + PRIOR.instance_sd**2) / 2.0)
    return Ability(Spreads(instance_sd, comparison.spread.blocks_pct / 100.0), comparison.instances)


def primaries(summary: Summary) -> dict[str, Comparison]:
    """The primary comparisons by metric."""
    return {
        each.metric: each
        for scenario in summary.scenarios
        for each in scenario.comparisons
        if each.primary
    }


def what_repetition_helps(known: Ability, plan: Replication) -> str | None:
    """Whether more instances or more rounds would help more than the same time spent otherwise."""
    now = known.resolution(plan)
    instances = known.resolution(Replication(2 * plan.instances, plan.blocks, plan.primaries))
    rounds = known.resolution(Replication(plan.instances, 2 * plan.blocks, plan.primaries))
    if now is None or instances is None or rounds is None:
        return None
    between = known.spreads.instance_sd**2
    share = between / (between + known.spreads.block_sd**2 / plan.blocks)
    source = (
        f"instances differ by {percent(100.0 * known.spreads.instance_sd)} (sd) and the blocks of "
        f"one by {percent(100.0 * known.spreads.block_sd)}"
    )
    if share >= ONE_SIDED:
        return (
            f"more instances rather than more rounds ({source}): twice as many would bring "
            f"±{percent(now.pct)} to ±{percent(instances.pct)}, twice the rounds only to "
            f"±{percent(rounds.pct)}"
        )
    return (
        f"more time, for rounds or instances alike ({source}, so blocks decide): twice the rounds "
        f"would bring ±{percent(now.pct)} to ±{percent(rounds.pct)}, twice the instances to "
        f"±{percent(instances.pct)}"
    )
