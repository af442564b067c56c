"""PURE: what each stage of a tune run measures, as far as the budget allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from loadtests.plan import round_rate
from loadtests.schedule import GAP_S, LEAD_IN_S, RESET_S
from loadtests.tuning.setting import Setting
from loadtests.tuning.spec import KNOBS

Stage = Literal["search", "final", "confirm", "twice", "distance", "burst"]
SHARES: Mapping[Stage, float] = {
    "search": 0.32, "final": 0.17, "confirm": 0.22, "burst": 0.03, "twice": 0.09, "distance": 0.17,
}  # fmt: skip
"""Of the budget, in the order in which they are measured; what one leaves, the later ones get."""
DRAIN_S = 0.2
"""Until the last answers of a trial are in; an overloaded one takes longer (`world.patience_s`)."""
BEYOND_LADDER = 1
"""Loads above or below a ladder that are planned for beside it, where the time is not too short."""
MOST_PASSES = 6
FEWEST_INSTANCES = 3
"""Instances carry the interval; two would leave it without any precision."""
FINALS: tuple[tuple[int, tuple[int, ...]], ...] = (
    (4, (-4, -2, -1, 0, 1)),
    (3, (-4, -2, -1, 0, 1)),
    (4, (-3, -1, 1)),
    (3, (-3, -1, 1)),
    (2, (-3, -1, 1)),
)
"""Finalists and steps from the highest rung that anybody cleared; the first that fits
FEWEST_PASSES times."""
FEWEST_PASSES = 3
"""Passes carry the interval of the plateau; with two of them it would hold nearly everything (one
degree of freedom: t = 12.7)."""
LOWER_STEPS = ((-12, -9, -6), (-24, -20, -16))
"""Where nobody met the objective in the finals."""
LADDERS: tuple[tuple[float, ...], ...] = (
    (0.6, 0.8, 0.9, 1.0, 1.1),
    (0.7, 0.85, 1.0, 1.1),
    (0.75, 0.95, 1.1),
)
"""Loads of `confirm` and `distance`, as shares of the knee in the finals; the first that fits."""
TWICE = 2.0
"""Times the knee of the best in the finals; on every instance that is up, since two could never
tell two settings apart (one degree of freedom)."""
FEWEST_TO_COMPARE = 2
"""Instances without which there is no interval at all."""


def seconds_for(stage: Stage, left_s: float) -> float:
    """A stage's part of what is left of the budget."""
    order = list(SHARES)
    later = sum(SHARES[each] for each in order[order.index(stage) :])
    return max(0.0, left_s * SHARES[stage] / later)


def later_shares(stage: Stage) -> float:
    """Of the budget, what the stages after this one are to have."""
    order = list(SHARES)
    return sum(SHARES[each] for each in order[order.index(stage) + 1 :])


def most_measuring_s(
    budget_s: float, arms: int, settings: int, each_s: float, *, twice_s: float,
    locked_s: float = 0.0,
) -> float:  # fmt: skip
    """What the stages can take when each confirms so many `settings` (of all arms together), trials
    take as long as planned, and those at twice the load `twice_s`: every stage has a least, however
    little is left for it, and may go on until only the later ones' shares are left.

    `locked_s`: how much longer it takes when one instance of each setting that may lock up does, as
    it may once in every stage after the finals (what overwhelms an instance is the last it gets).
    """
    on_all_s = FEWEST_INSTANCES * settings * each_s
    least_s: dict[Stage, float] = {
        "final": arms * FINALS[-1][0] * len(FINALS[-1][1]) * FEWEST_PASSES * each_s,
        "confirm": on_all_s * len(LADDERS[-1]) + FEWEST_INSTANCES * locked_s,
        "burst": 2 * settings * each_s + locked_s,
        "twice": FEWEST_INSTANCES * (settings * twice_s + locked_s),
        "distance": on_all_s * len(LADDERS[-1]) + FEWEST_INSTANCES * locked_s,
    }
    spent_s = SHARES["search"] * budget_s
    for stage, stage_s in least_s.items():
        spent_s += max(seconds_for(stage, budget_s - spent_s), stage_s)
        spent_s = max(spent_s, (1.0 - later_shares(stage)) * budget_s)
    return spent_s


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
    """As many passes as fit; with fewer finalists and steps where FEWEST_PASSES would not fit."""
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
        loads = len(shares) + BEYOND_LADDER
        instances = int(seconds / (settings * loads * each_s))
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


def same_budget(taken: Sequence[Setting]) -> Setting:
    """What several arms are all given to be compared with the same budget of connections, threads
    and workers: of each knob the most that any of them takes, so that none gets less than it wants.

    Of gates the widest; none is only left out where nobody has one. Beside a gate, no gate counts
    as one for every connection: beyond those, requests wait either way.
    """
    if not taken:
        raise ValueError("a budget of no setting at all")
    most = {knob: max(getattr(each, knob) for each in taken) for knob in KNOBS}
    gates = [each.admitted for each in taken]
    if all(gate is None for gate in gates):
        return Setting(**{**most, "admission": -1})
    widest = max(
        each.connections // each.workers if gate is None else gate
        for each, gate in zip(taken, gates, strict=True)
    )
    as_wide = widest == most["pool_size"] + most["max_overflow"] or any(
        each.admission == 0 for each in taken
    )
    return Setting(**{**most, "admission": 0 if as_wide else widest})


def settings_to_confirm(
    chosen: Mapping[str, Chosen],
    present: Mapping[str, Setting],
    default: Mapping[str, Setting | None],
    twins: Sequence[str],
) -> dict[str, list[Setting]]:
    """The settings of each arm that are tried again: taken, the framework's default (if the arm can
    have it), the present one, the alternate; and where both `twins` were tuned, each with the same
    budget. In this order they are wanted: what comes last is given up first
    (`room.side_by_side`)."""
    wanted = {
        arm: [found.taken, default[arm], present[arm], found.alternate]
        for arm, found in chosen.items()
    }
    if len(twins) > 1 and all(twin in chosen for twin in twins):
        budget = same_budget([chosen[twin].taken for twin in twins])
        for twin in twins:
            wanted[twin].append(budget)
    return {
        arm: [each for each in dict.fromkeys(settings) if each is not None]
        for arm, settings in wanted.items()
    }
