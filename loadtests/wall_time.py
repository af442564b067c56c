"""PURE: what a spec would plan if starting and measuring together may take a given wall time."""

from __future__ import annotations

from loadtests.schedule import Limits, Sizes, choose_sizes
from loadtests.spec import Spec

STEP = 0.02
"""Share of the wall time by which budgets are tried, the largest first."""


def sizes_within(spec: Spec, limits: Limits, wall_s: float) -> Sizes | None:
    """Instances and rounds as `bench run` would choose them for the largest budget that fits.

    Numbers that the spec fixes are set free. None where even the smallest plan takes longer.
    """
    free = {"instances": "auto", "rounds": "auto", "pairs": "auto"}
    for step in range(round(1 / STEP)):
        run = spec.run.model_copy(update={**free, "budget_s": wall_s * (1.0 - step * STEP)})
        sizes = choose_sizes(spec.model_copy(update={"run": run}), limits)
        opinion_s = sizes.second_opinion.seconds
        if sizes.set_up_s + sizes.measuring_s + opinion_s <= wall_s:
            return sizes
    return None
