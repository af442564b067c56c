"""What is tried again in new processes: which settings of which arms, what of it up together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from loadtests.spec import TWINS
from loadtests.tuning.confirm import Wanted
from loadtests.tuning.ground import Tuning
from loadtests.tuning.room import instances_that_fit, side_by_side
from loadtests.tuning.setting import Setting
from loadtests.tuning.space import default_of
from loadtests.tuning.stages import (
    FEWEST_INSTANCES,
    Chosen,
    LadderPlan,
    Stage,
    plan_ladder,
    settings_to_confirm,
)


def wanted_together(
    tuning: Tuning, chosen: Mapping[str, Chosen], arms: Sequence[str] | None = None
) -> Sequence[Wanted]:
    """The settings that are to be confirmed, of all arms or of some, by what is up together;
    without those that do not fit."""
    left_out = {(arm, setting) for arm, setting, _ in unfit(tuning, chosen)}
    wanted = {
        arm: [each for each in settings if (arm, each) not in left_out]
        for arm, settings in _to_confirm(tuning, chosen).items()
        if arms is None or arm in arms
    }
    needed = {
        arm: {chosen[arm].taken, tuning.past.spaces[arm].present, _default(tuning, arm)}
        for arm in wanted
    }
    return side_by_side(wanted, needed, tuning.limits_now)


def tell_worlds(tuning: Tuning, chosen: Mapping[str, Chosen], together: Sequence[Wanted]) -> None:
    """What is not as it would be with room for everything."""
    if len(together) > 1:
        tuning.note(
            f"{' and '.join(chosen)} are confirmed one after the other, since {FEWEST_INSTANCES} "
            "instances of everything do not fit beside each other; so they are not compared with "
            "each other."
        )
    left_out = {(arm, setting) for arm, setting, _ in unfit(tuning, chosen)}
    up_too = {(arm, each) for wanted in together for arm, of in wanted.items() for each in of}
    for arm, settings in _to_confirm(tuning, chosen).items():
        for each in settings:
            if (arm, each) not in left_out | up_too:
                tuning.note(
                    f"{arm}: {each.words} is not tried again: the others' instances leave no room."
                )


def unfit(tuning: Tuning, chosen: Mapping[str, Chosen]) -> Iterator[tuple[str, Setting, str]]:
    """What would be confirmed but does not fit (the default or the present setting), and why."""
    for arm, settings in _to_confirm(tuning, chosen).items():
        for setting in settings:
            if why := tuning.bounds[arm].refusal(setting):
                yield arm, setting, why


def _to_confirm(tuning: Tuning, chosen: Mapping[str, Chosen]) -> dict[str, list[Setting]]:
    present = {arm: space.present for arm, space in tuning.past.spaces.items()}
    twins = [arm.name for arm in tuning.spec.tuned_arms if arm.app in TWINS]
    default = {arm: _default(tuning, arm) for arm in chosen}
    return settings_to_confirm(chosen, present, default, twins)


def _default(tuning: Tuning, arm: str) -> Setting | None:
    return default_of(tuning.spec.arm_named(arm))


def ladder(tuning: Tuning, stage: Stage, together: Sequence[Wanted]) -> LadderPlan:
    """How many instances at how many loads the stage's time allows."""
    worlds = [[each for of_arm in wanted.values() for each in of_arm] for wanted in together]
    most = min(instances_that_fit(settings, tuning.limits_now) for settings in worlds)
    settings = sum(map(len, worlds))
    return plan_ladder(settings, tuning.seconds_for(stage), tuning.trial_s, most)
