"""PURE: what each stage of a tune run measures, as far as the budget allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from loadtests.plan import round_rate
from loadtests.schedule import GAP_S, LEAD_IN_S, RESET_S
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting

Stage = Literal["search", "final", "confirm", "twice", "distance", "burst"]
SHARES: Mapping[Stage, float] = {
    "search": 0.33, "final": 0.19, "confirm": 0.22, "twice": 0.04, "burst": 0.04, "distance": 0.18,
}  # fmt: skip
"""Of the budget, in the order in which they are measured; what one leaves, the later ones get."""
DRAIN_S = 0.2
"""Until the last answers of a trial are in; an overloaded one takes longer."""
MOST_PASSES = 6
FEWEST_INSTANCES = 3
"""Instances carry the interval; two would leave it without any precision."""
FINALS: tuple[tuple[int, tuple[int, ...]], ...] = (
    (4, (-4, -2, -1, 0, 1)),
    (3, (-4, -2, -1, 0, 1)),
    (3, (-3, -1, 1)),
    (2, (-3, -1, 1)),
)
"""Finalists and steps from the highest rung that anybody cleared; the first that fits twice."""
FEWEST_PASSES = 2
LOWER_STEPS = ((-12, -9, -6), (-24, -20, -16))
"""Where nobody met the objective in the finals."""
LADDERS: tuple[tuple[float, ...], ...] = (
    (0.6, 0.8, 0.9, 1.0, 1.1),
    (0.7, 0.85, 1.0, 1.1),
    (0.75, 0.95, 1.1),
)
"""Loads of `confirm` and `distance`, as shares of the knee in the finals; the first that fits."""
TWICE = 2.0
TWICE_INSTANCES = 2


def seconds_for(stage: Stage, left_s: float) -> float:
    """A stage's part of what is left of the budget."""
    order = list(SHARES)
    later = sum(SHARES[each] for each in order[order.index(stage) :])
    return max(0.0, left_s * SHARES[stage] / later)


def trial_s(window_s: float, *, writes: bool) -> float:
    """Wall time of one trial, before any was measured."""
    return LEAD_IN_S + window_s + GAP_S + DRAIN_S + (RESET_S if writes else 0.0)


@dataclass(frozen=True, slots=True)
class FinalsPlan:
    """Each pass measures `finalists` of every arm at all `steps` from its top rung."""

    finalists: int
    steps: tuple[int, ...]
    passes: int


def plan_finals(arms: int, seconds: float, each_s: float) -> FinalsPlan:
    """As many passes as fit; with few finalists and steps where two would not fit otherwise."""
    for finalists, steps in FINALS:
        passes = int(seconds / (arms * finalists * len(steps) * each_s))
        if passes >= FEWEST_PASSES:
            return FinalsPlan(finalists, steps, min(MOST_PASSES, passes))
    return FinalsPlan(*FINALS[-1], FEWEST_PASSES)


@dataclass(frozen=True, slots=True)
class LadderPlan:
    """`instances` of each setting at `shares` of its arm's knee."""

    instances: int
    shares: tuple[float, ...]

    def rates(self, knee_per_s: float) -> list[float]:
        """The loads, rising."""
        return list(dict.fromkeys(round_rate(share * knee_per_s, 3) for share in self.shares))


def plan_ladder(settings: int, seconds: float, each_s: float, most_instances: int) -> LadderPlan:
    """As many instances as fit, with fewer loads where three instances would not fit otherwise."""
    for shares in LADDERS:
        instances = int(seconds / (settings * len(shares) * each_s))
        if instances >= FEWEST_INSTANCES:
            return LadderPlan(min(most_instances, instances), shares)
    return LadderPlan(min(most_instances, FEWEST_INSTANCES), LADDERS[-1])


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the finals of an arm came to: the setting taken, the roomiest that cannot be told apart
    from it, and the knee of the best in requests/s."""

    taken: Setting
    alternate: Setting | None
    knee_per_s: float


def settings_to_confirm(
    chosen: Mapping[str, Chosen], present: Mapping[str, Setting], twins: Sequence[str]
) -> dict[str, list[Setting]]:
    """The settings of each arm that are tried again: taken, alternate, the framework's default and
    the present one; and where both `twins` were tuned, each with the larger one's budget."""
    wanted = {
        arm: [found.taken, found.alternate, FRAMEWORK_DEFAULT, present[arm]]
        for arm, found in chosen.items()
    }
    if len(twins) > 1 and all(twin in chosen for twin in twins):
        budget = max((chosen[twin].taken for twin in twins), key=lambda taken: taken.cost)
        for twin in twins:
            wanted[twin].append(budget)
    return {
        arm: [each for each in dict.fromkeys(settings) if each is not None]
        for arm, settings in wanted.items()
    }
