"""PURE: how much a log ratio of two arms varies, between instances and between blocks."""

from __future__ import annotations

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


PRIOR = Spreads(instance_sd=0.06, block_sd=0.11)
"""Of capacity, windows of about a second: what is expected before anything is measured.

Both are of log ratios of two arms, so of *pairs*: 6% between pairs of prototypes on a quiet 2-core
machine. Single instances of the twins differ by 1.8 to 2.6% (benchmarks/instances), pairs of them
by √2 as much, 2.5 to 3.7%. The larger is expected, so that a plan promises too little rather than
too much. Tails of latency vary more."""
