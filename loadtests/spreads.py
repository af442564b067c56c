"""PURE: how much a log ratio of two arms varies, between instances and between blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spreads:
    """Standard deviations of the log ratio candidate/baseline (0.06: about 6%).

    `instance_sd`: between instance pairs, were each measured without end; `block_sd`: between the
    blocks of one pair.
    """

    instance_sd: float
    block_sd: float

    def variance(self, instances: int, blocks: int) -> float:
        """Of the mean over `instances` pairs with `blocks` blocks each.

        One instance says nothing of how others would differ: its blocks alone count.
        """
        within = self.block_sd**2 / (instances * blocks)
        return within + (self.instance_sd**2 / instances if instances > 1 else 0.0)

    def optimal_blocks(self, instance_s: float, block_s: float) -> float:
        """Blocks per instance that make the variance smallest for the time spent.

        √(c₁/c₂)·(s₂/s₁) with the costs c and spreads s of an instance and of a block (Kalibera &
        Jones, "Rigorous benchmarking in reasonable time", ISMM'13, section 6).
        """
        if self.instance_sd <= 0.0:
            return math.inf
        return math.sqrt(instance_s / block_s) * self.block_sd / self.instance_sd


PRIOR = Spreads(instance_sd=0.06, block_sd=0.11)
"""Of capacity, windows of about a second, as measured on a quiet 2-core machine (docs/method.md):
what is expected before anything is measured. Tails of latency vary more."""
