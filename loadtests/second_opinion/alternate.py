"""Loads one instance of every arm with both tools in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from loadtests.plan import derived_seed
from loadtests.second_opinion.plan import Plan
from loadtests.second_opinion.record import Opinion, Tool, Turn
from loadtests.second_opinion.wrk import Counted
from loadtests.trials import Target

Load = Callable[[Target, int], Counted]
"""Loads a target for one turn, with a seed for its requests and keys."""


def alternate(
    plan: Plan, targets: Mapping[str, Target], tools: Mapping[Tool, Load], seed: int
) -> Opinion:
    """All turns; the two of one arm are adjacent, and each tool goes first as often as the other.

    Raises what a tool raises.
    """
    return Opinion(
        scenario=plan.scenario,
        users=plan.users,
        arms=plan.arms,
        turns=tuple(
            _turn(arm, number, tool, tools[tool], targets[arm], seed)
            for number, arm, tool in _order(plan, seed)
        ),
    )


def _order(plan: Plan, seed: int) -> Iterator[tuple[int, str, Tool]]:
    random = np.random.default_rng(derived_seed(seed, "second opinion"))
    for number in range(plan.alternations):
        for place in random.permutation(len(plan.arms)):
            order: tuple[Tool, ...] = ("ours", "wrk")
            for tool in order if (number + place) % 2 else reversed(order):
                yield number, plan.arms[place], tool


def _turn(arm: str, number: int, tool: Tool, load: Load, target: Target, seed: int) -> Turn:
    counted = load(target, derived_seed(seed, "second opinion", number))
    return Turn(arm=arm, number=number, tool=tool, per_s=counted.per_s, failed=counted.failed)
