"""What was taken is tried again by new processes: at its own loads, at twice as much, in bursts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from loadtests.plan import round_rate
from loadtests.trials import ClosedLoad, OpenLoad
from loadtests.tuning.ground import Ground, Tuning
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
AROUND_SHARE = 0.08
"""Of the whole budget, for each arm and stage that has settings to be followed further down, and
as much for those that are followed further up."""
STEP_UP, MOST_STEPS_UP = 1.15, 3
"""From the top of the ladder on, as long as a setting meets the objective there."""
OVERWHELMED_SHARE, HOPELESS_SHARE = 0.25, 0.75
"""Of late requests: far beyond the 1% at the knee; and without any doubt."""
Wanted = Mapping[str, Sequence[Setting]]
"""The settings of each arm."""


def climb(
    ground: Ground, stage: Stage, wanted: Wanted, plan: LadderPlan, knees: Mapping[str, float], *,
    kept_back: float,
) -> None:  # fmt: skip
    """Every instance of every setting at all loads of its arm's ladder, arms in turn.

    Loads rise, so that none is measured on what a higher one left; what overwhelms an instance is
    the last that it gets. Settings that met the highest are then followed further up, and those
    that missed all further down, as far as the share of the budget allows that is not `kept_back`
    for later stages.
    """
    for instance in ground.instances:
        ground.tuning.teller.say(
            f"{stage.capitalize()}: instance {instance - ground.instances[0] + 1} of "
            f"{len(ground.instances)} …"
        )
        standing = dict(wanted)
        for share in sorted(plan.shares):
            for arm, settings in standing.items():
                load = OpenLoad(round_rate(share * knees[arm], 3))
                last = share == max(plan.shares)
                standing[arm] = _rung(ground, stage, arm, settings, load, instance, last=last)
    for arm, settings in wanted.items():
        ascend(ground, stage, arm, settings, max(plan.rates(knees[arm])), kept_back)
        descend(ground, stage, arm, settings, kept_back)
    ground.tuning.write("finished", stage=stage, arms=list(wanted))


def _rung(
    ground: Ground, stage: Stage, arm: str, settings: Sequence[Setting], load: OpenLoad,
    instance: int, *, last: bool,
) -> Sequence[Setting]:  # fmt: skip
    """One load on one instance of each setting; returns those that it did not overwhelm. Where
    higher loads come, a doubtful one gets a second look: anything may have stood still for a
    moment, but not for nearly all of a trial."""
    if not settings:
        return settings
    scores = ground.measure(stage, arm, settings, load, unit=instance, instance=instance)
    late = _later_than(OVERWHELMED_SHARE, scores)
    hopeless = _later_than(HOPELESS_SHARE, scores)
    doubtful = [] if last else [each for each in late if each not in hopeless]
    if doubtful:
        scores = ground.measure(stage, arm, doubtful, load, unit=instance, instance=instance)
        late = [*hopeless, *_later_than(OVERWHELMED_SHARE, scores)]
    return [each for each in settings if each not in late]


def _later_than(share: float, scores: Mapping[Setting, Score]) -> list[Setting]:
    """Settings of whose requests more than this share were late."""
    return [setting for setting, score in scores.items() if score.late > share * score.planned]


def _around_until_s(ground: Ground, kept_back: float) -> float:
    """Until when (seconds of measuring) loads beyond a ladder may be measured."""
    past, budget_s = ground.tuning.past, ground.tuning.spec.tune.budget_s
    return min(past.spent_s + AROUND_SHARE * budget_s, (1.0 - kept_back) * budget_s)


def ascend(
    ground: Ground, stage: Stage, arm: str, settings: Sequence[Setting], top_per_s: float,
    kept_back: float,
) -> None:  # fmt: skip
    """Settings that met the objective at the highest load go on, all instances of them, as long as
    they meet it and there is time: a knee beyond all loads is known from one side only."""
    tuning, until_s = ground.tuning, _around_until_s(ground, kept_back)
    for _ in range(MOST_STEPS_UP):
        blocks = tuning.past.of_stage(stage, arm)
        going = [s for s in settings if _met(blocks, s, top_per_s, tuning.objective)]
        if not going or not _fits(tuning, len(going) * len(ground.instances), until_s):
            return
        top_per_s = round_rate(STEP_UP * top_per_s, 3)
        tuning.teller.say(f"{arm}: {len(going)} of {len(settings)} go on to {top_per_s:g}/s …")
        for instance in ground.instances:
            load = OpenLoad(top_per_s)
            ground.measure(stage, arm, going, load, unit=instance, instance=instance)


def descend(
    ground: Ground, stage: Stage, arm: str, settings: Sequence[Setting], kept_back: float
) -> None:
    """Settings that missed all loads of the ladder at ever lower ones, halved each time: the first
    instance looks how far down, the others then measure there, and halfway up again. Nothing of
    the budget's share that is `kept_back` is spent on it: what would take longer than is left, by
    what trials took so far, is not begun."""
    tuning, first = ground.tuning, ground.instances[0]
    missed = _missed_all(tuning.past.of_stage(stage, arm), settings, ground)
    lowest = min(
        (each.rate_per_s for each in tuning.past.of_stage(stage, arm) if each.rate_per_s),
        default=LOWEST_RATE_PER_S,
    )
    until_s = _around_until_s(ground, kept_back)
    while missed and lowest > LOWEST_RATE_PER_S and _fits(tuning, len(missed), until_s):
        lowest = round_rate(HALF * lowest, 3)
        scores = ground.measure(
            stage, arm, missed, OpenLoad(lowest), unit=first, instance=first
        )  # fmt: skip
        met = [s for s in missed if s in scores and scores[s].clears(tuning.objective)]
        if met:
            _measure_around(ground, stage, arm, met, lowest, until_s)
        missed = [setting for setting in missed if setting in scores and setting not in met]


def _measure_around(
    ground: Ground, stage: Stage, arm: str, settings: Sequence[Setting], rate_per_s: float,
    until_s: float,
) -> None:  # fmt: skip
    """Instance by instance at a load that the first one met and halfway up, as far as time allows;
    what the first did at the former is measured already."""
    rates = (rate_per_s, round_rate(math.sqrt(2.0) * rate_per_s, 3))
    for instance in ground.instances:
        new = rates[1:] if instance == ground.instances[0] else rates
        if not _fits(ground.tuning, len(new) * len(settings), until_s):
            return
        for each_per_s in new:
            ground.measure(
                stage, arm, settings, OpenLoad(each_per_s), unit=instance, instance=instance
            )


def _fits(tuning: Tuning, trials: int, until_s: float) -> bool:
    """Whether so many trials more are over before so many seconds of measuring are spent."""
    return tuning.past.spent_s + trials * tuning.trial_s <= until_s


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
