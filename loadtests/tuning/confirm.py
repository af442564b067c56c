"""What was taken is tried again by new processes: at its own loads, at twice as much, in bursts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from loadtests.plan import derived_seed, round_rate, shuffled
from loadtests.trials import ClosedLoad, OpenLoad
from loadtests.tuning.ground import Ground
from loadtests.tuning.hazards import burst_users, calm_users, can_deadlock, worth_a_burst
from loadtests.tuning.past import Measured
from loadtests.tuning.race import LOWEST_RATE_PER_S
from loadtests.tuning.score import Objective, Score
from loadtests.tuning.setting import Setting
from loadtests.tuning.stages import (
    TWICE,
    LadderPlan,
    Stage,
)

HALF = 0.5
DESCENT_SHARE = 0.08
"""Of the whole budget, for each arm and stage that has settings to be followed down."""
OVERWHELMED_SHARE = 0.25
"""Of late requests: far beyond the 1% at the knee."""
Wanted = Mapping[str, Sequence[Setting]]
"""The settings of each arm."""


def climb(
    ground: Ground, stage: Stage, wanted: Wanted, plan: LadderPlan, knees: Mapping[str, float], *,
    kept_back: float,
) -> None:  # fmt: skip
    """Every instance of every setting at all loads of its arm's ladder, arms in turn.

    Settings that the lowest load overwhelms are loaded no higher: their trials take long, and say
    the same. They, and those that missed all loads by less, are then followed further down, as far
    as the share of the budget allows that is not `kept_back` for later stages.
    """
    seed = ground.tuning.spec.run.seed
    standing = dict(wanted)
    lowest, *others = plan.shares
    for instance in ground.instances:
        ground.tuning.teller.say(
            f"{stage.capitalize()}: instance {instance - ground.instances[0] + 1} of "
            f"{len(ground.instances)} …"
        )
        higher = shuffled(others, np.random.default_rng(derived_seed(seed, stage, instance)))
        for share in (lowest, *higher):
            for arm, settings in standing.items():
                load = OpenLoad(round_rate(share * knees[arm], 3))
                scores = ground.measure(
                    stage, arm, settings, load, unit=instance, instance=instance
                )
                if share == lowest and instance == ground.instances[0]:
                    gone = _overwhelmed(ground, stage, arm, scores, load)
                    standing[arm] = [each for each in settings if each not in gone]
    for arm, settings in wanted.items():
        descend(ground, stage, arm, settings, kept_back)
    ground.tuning.write("finished", stage=stage, arms=list(wanted))


def _overwhelmed(
    ground: Ground, stage: Stage, arm: str, scores: Mapping[Setting, Score], load: OpenLoad
) -> list[Setting]:
    """Settings that a load was far too much for: on the first instance, and on the last one too,
    since anything may have stood still for a moment."""
    suspect, last = _far_too_late(scores), ground.instances[-1]
    if not suspect:
        return []
    return _far_too_late(ground.measure(stage, arm, suspect, load, unit=last, instance=last))


def _far_too_late(scores: Mapping[Setting, Score]) -> list[Setting]:
    return [s for s, score in scores.items() if score.late > OVERWHELMED_SHARE * score.planned]


def descend(
    ground: Ground, stage: Stage, arm: str, settings: Sequence[Setting], kept_back: float
) -> None:
    """Settings that missed all loads of the ladder at ever lower ones, halved each time: the first
    instance looks how far down, the others then measure there, and halfway up again. Nothing of
    the budget's share that is `kept_back` is spent on it."""
    tuning, first = ground.tuning, ground.instances[0]
    missed = _missed_all(tuning.past.of_stage(stage, arm), settings, ground)
    lowest = min(
        (each.rate_per_s for each in tuning.past.of_stage(stage, arm) if each.rate_per_s),
        default=LOWEST_RATE_PER_S,
    )
    budget_s = tuning.spec.tune.budget_s
    until_s = min(tuning.past.spent_s + DESCENT_SHARE * budget_s, (1.0 - kept_back) * budget_s)
    while missed and lowest > LOWEST_RATE_PER_S and tuning.past.spent_s < until_s:
        lowest = round_rate(HALF * lowest, 3)
        scores = ground.measure(
            stage, arm, missed, OpenLoad(lowest), unit=first, instance=first
        )  # fmt: skip
        met = [s for s in missed if s in scores and scores[s].clears(tuning.objective)]
        if met:
            _measure_around(ground, stage, arm, met, lowest)
        missed = [setting for setting in missed if setting in scores and setting not in met]


def _measure_around(
    ground: Ground, stage: Stage, arm: str, settings: Sequence[Setting], rate_per_s: float
) -> None:
    above_per_s = round_rate(math.sqrt(2.0) * rate_per_s, 3)
    for instance in ground.instances:
        for each_per_s in (rate_per_s, above_per_s):
            if instance == ground.instances[0] and each_per_s == rate_per_s:
                continue  # that was just measured
            ground.measure(
                stage, arm, settings, OpenLoad(each_per_s), unit=instance, instance=instance
            )


def _missed_all(
    blocks: Sequence[Measured], settings: Sequence[Setting], ground: Ground
) -> list[Setting]:
    """Settings that still live and met the objective at no load in half of their trials."""
    rates = {each.rate_per_s for each in blocks}
    living = ground.alive(blocks[0].arm, settings, ground.instances[0]) if blocks else []
    return [
        setting
        for setting in living
        if not any(_met(blocks, setting, rate, ground.tuning.objective) for rate in rates)
    ]


def _met(
    blocks: Sequence[Measured], setting: Setting, rate_per_s: float | None, objective: Objective
) -> bool:
    cleared = [
        each.scores[setting].clears(objective)
        for each in blocks
        if each.rate_per_s == rate_per_s and setting in each.scores
    ]
    return bool(cleared) and 2 * sum(cleared) >= len(cleared)


def twice(ground: Ground, wanted: Wanted, knees: Mapping[str, float]) -> None:
    """Every instance of everything at twice the knee of the best in the arm's finals."""
    for instance in ground.instances:
        ground.tuning.teller.say("At twice the load …")
        for arm, settings in wanted.items():
            load = OpenLoad(round_rate(TWICE * knees[arm], 3))
            ground.measure("twice", arm, settings, load, unit=instance, instance=instance)
    ground.tuning.write("finished", stage="twice", arms=list(wanted))


def burst(ground: Ground, wanted: Wanted) -> None:
    """Settings that arithmetic flags: a burst of as many users as fill every thread and connection,
    beside as few as the pool serves without waiting. One instance shows it. Where the budget is
    spent, only what could lock up."""
    tuning, instance = ground.tuning, ground.instances[0]
    for arm, settings in wanted.items():
        for setting in settings:
            app = tuning.spec.arm_named(arm).app
            if not worth_a_burst(setting, app):
                continue
            if tuning.left_s <= 0 and not can_deadlock(setting, app):
                tuning.note(f"{arm}: no burst on {setting.words}; the budget is spent.")
                continue
            tuning.teller.say(f"{arm}: a burst on {setting.words} …")
            for users in (calm_users(setting), burst_users(setting)):
                ground.measure(
                    "burst", arm, [setting], ClosedLoad(users), unit=instance, instance=instance
                )
    tuning.write("finished", stage="burst", arms=list(wanted))
